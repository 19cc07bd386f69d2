// The battle page's way to the server: JSON there, JSON or server-sent events back.
//
//   post(path, body)      the answer;  get(path);  upload(file)
//   events(path, body)    an async iterator over {name, data}, as they arrive
//   solve(challenge)      the answer to a proof-of-work challenge, as text to send along
//   Refused, Broken       what these throw: the arena said no (code, figures, wait in seconds), or nobody answered
(() => {
  class Refused extends Error {
    constructor(status, answer) {
      super(answer.code || String(status));
      this.code = answer.code || "unknown";
      this.figures = answer.figures || {};
      this.wait = answer.retry_after || 0;
    }
  }
  class Broken extends Error {}

  async function call(path, options) {
    let answer;
    try { answer = await fetch("arena-api/" + path, { credentials: "same-origin", cache: "no-store", ...options }); } catch { throw new Broken(); }
    if (answer.ok) return answer;
    let said = {};
    try { said = await answer.json(); } catch { /* a proxy's own page: the status is all there is */ }
    if (!said.code && answer.status >= 500) throw new Broken();
    throw new Refused(answer.status, { code: String(answer.status), ...said });
  }

  const json = (body) => ({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const read = async (answer) => { try { return await answer.json(); } catch { throw new Broken(); } };

  async function* events(path, body) {
    const answer = await call(path, json(body));
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let kept = "";
    try {
      for (;;) {
        let part;
        try { part = await reader.read(); } catch { throw new Broken(); }
        if (part.done) return;
        kept += part.value.replaceAll("\r", "");
        for (let end; (end = kept.indexOf("\n\n")) >= 0; kept = kept.slice(end + 2)) {
          const lines = kept.slice(0, end).split("\n");
          const value = (name) => lines.filter((line) => line.startsWith(name + ":")).map((line) => line.slice(name.length + 1).trimStart()).join("\n");
          const data = value("data");
          if (data) yield { name: value("event"), data: JSON.parse(data) };
        }
      }
    } finally { reader.cancel().catch(() => {}); }
  }

  Object.assign(window.llmuses, {
    arenaApi: {
      Refused, Broken, events,
      post: async (path, body) => read(await call(path, json(body))),
      get: async (path) => read(await call(path, {})),
      upload: async (file) => read(await call("image", { method: "POST", headers: { "Content-Type": file.type }, body: file })),
    },
  });
})();
