// Waiting for what happens, however long a loaded machine takes.

// Of one wait. A call takes a second or two.
export const LIMIT_MS = 60_000;

// Asks again and again until it holds.
export async function eventually(what, holds) {
  const until = performance.now() + LIMIT_MS;
  while (!(await holds())) {
    if (performance.now() > until) throw new Error(`never: ${what}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}
