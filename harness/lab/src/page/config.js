// The configuration endpoint's answer, as far as the page needs it.

const LIMIT_MS = 20_000;

// Gives { sip, iceServers, notice }; throws an error with the reason, or the signal's.
export async function fetchConfig(url, signal) {
  let answer;
  try {
    answer = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]) });
  } catch (cause) {
    throw failure("unreachable", cause);
  }
  if (!answer.ok) throw failure(answer.status === 429 ? "too-many" : "unreachable");
  const { endpointSettings, iceServers, settings } = await answer.json();
  const notice = settings?.privacyNotice;
  return {
    sip: endpointSettings.sipConnectivityInfo,
    iceServers: iceServers ?? [],
    notice: notice?.enabled ? notice : null,
  };
}

function failure(reason, cause) {
  return Object.assign(new Error(reason, { cause }), { reason });
}
