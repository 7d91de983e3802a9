// The framework's API.

// Refusal is an answer that is not what was asked for.
export class Refusal extends Error {
  constructor(status, body, text) {
    super(body?.message ?? (text || `status ${status}`));
    this.status = status;
    this.details = Array.isArray(body?.details) ? body.details : [];
    this.deployments = body?.deployments ?? [];
  }

  // words are the message and all that is wrong.
  words() {
    return [this.message, ...this.details.map((d) => `${d.path}: ${d.errors.join(", ")}`)].join("\n");
  }
}

export async function call(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method, body: body === undefined ? undefined : JSON.stringify(body),
      headers: { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
    });
  } catch (e) {
    throw new Refusal(0, null, `The framework does not answer (${e.message}).`);
  }
  const text = await answer.text();
  let value = null;
  try {
    value = text ? JSON.parse(text) : null;
  } catch {
    if (answer.ok) throw new Refusal(answer.status, null, `The answer to ${method} ${path} cannot be read.`);
  }
  if (!answer.ok) throw new Refusal(answer.status, value, text);
  return value;
}

export const get = (path) => call("GET", path);

// ids keep their slashes: they are a path in the API, too.
const at = (id) => id.split("/").map(encodeURIComponent).join("/");
export const appPath = (id, rest = "") => `/v2/apps${at(id)}${rest}`;
export const whyPath = (id) => `/v2/queue${at(id)}/why`;
export const taskPath = (task, query) => `/v2/tasks/${encodeURIComponent(task)}/files?${new URLSearchParams(query)}`;

// watch calls changed soon after anything has happened, and connected with what is
// known of the connection.
export function watch(changed, connected) {
  let timer = 0;
  const soon = () => {
    if (!timer) timer = setTimeout(() => { timer = 0; changed(); }, 150);
  };
  const events = new EventSource("/v2/events?plan-format=light");
  events.onopen = () => { connected("live"); soon(); };
  events.onerror = () => connected("not connected: trying again");
  events.onmessage = soon;
  for (const kind of ["api_post_event", "status_update_event", "instance_changed_event", "instance_health_changed_event",
    "health_status_changed_event", "failed_health_check_event", "deployment_info", "deployment_success", "deployment_failed",
    "deployment_step_success", "deployment_step_failure", "group_change_success", "group_change_failed", "app_terminated_event",
    "unhealthy_task_kill_event", "unhealthy_instance_kill_event"]) {
    events.addEventListener(kind, soon);
  }
  setInterval(soon, 10000); // of what no event tells
}
