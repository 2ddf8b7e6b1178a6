// Where a client SDK of another make would find its servers, in the form that its pages write. This page's own phone asks the
// configuration endpoint; whoever reads pages as text judges these settings as well.
export const SERVERS = {
  authServer: { isSecure: true, url: "{{https}}/auth" },
  serviceServer: { isSecure: true, url: "{{https}}/service" },
  restServer: { isSecure: true, url: "{{https}}/rest" },
  webSocketServer: { isSecure: true, url: "{{wss}}" },
  sseServer: { isSecure: true, url: "{{https}}/events" },
  recordingServer: { isSecure: true, url: "{{recording}}/recordings" },
};
