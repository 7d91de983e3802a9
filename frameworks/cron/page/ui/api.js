// The framework's API.

export const prefix = "/v1/scheduler";

// Refusal is an answer that is not what was asked for.
export class Refusal extends Error {
  constructor(status, body, text) {
    super(body?.message ?? (text || `status ${status}`));
    this.status = status;
    this.details = Array.isArray(body?.details) ? body.details : [];
  }
}

async function send(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method, body: body === undefined ? undefined : JSON.stringify(body),
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
    });
  } catch (e) {
    throw new Refusal(0, null, `The framework does not answer (${e.message}).`);
  }
  const text = await answer.text();
  if (answer.ok) return text;
  let value = null;
  try {
    value = JSON.parse(text);
  } catch {
    // somebody between has answered
  }
  throw new Refusal(answer.status, value, text);
}

export const get = async (path) => JSON.parse(await send("GET", prefix + path));
export const text = (path) => send("GET", prefix + path);
export const call = (method, path, body) => send(method, prefix + path, body);

export const at = (kind, name) => `/job/${kind ? `${kind}/` : ""}${encodeURIComponent(name)}`;

// put creates or replaces a job, which depends on others or has a schedule.
export const put = (job, dependent) => call("POST", dependent ? "/dependency" : "/iso8601", job);

// watch calls changed soon after anything has happened, connected with what is known
// of the connection, and ended with every attempt that has ended. Reading takes at
// most a part of the time.
export function watch(changed, connected, ended) {
  let timer = 0;
  let pause = 150;
  const soon = () => {
    if (timer) return;
    timer = setTimeout(async () => {
      const began = performance.now();
      await changed();
      pause = Math.min(Math.max(150, 5 * (performance.now() - began)), 30000);
      timer = 0;
    }, pause);
  };
  const events = new EventSource(`${prefix}/events`);
  events.onopen = () => { connected("live"); soon(); };
  events.onerror = () => connected("not connected: trying again");
  for (const kind of ["job-added", "job-changed", "job-removed", "run-begun", "run-changed", "run-ended", "gap"]) {
    events.addEventListener(kind, soon);
  }
  events.addEventListener("run-ended", (e) => ended(JSON.parse(e.data)));
  setInterval(soon, 15000); // times go by, too
}
