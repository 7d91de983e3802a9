// What is in the form of a job: how a job is shown in fields, and read from them.

const lines = (text) => text.split("\n").map((l) => l.trim()).filter(Boolean);

// A value with line breaks is written as in JSON, so that each variable has a line.
const shown = (value) => (/[\n"]/.test(value) ? JSON.stringify(value) : value);
function meant(value) {
  if (!value.startsWith('"')) return value;
  try {
    return String(JSON.parse(value));
  } catch {
    return value;
  }
}

const pair = (line) => {
  const i = line.indexOf("=");
  return i < 0 ? [line, ""] : [line.slice(0, i).trim(), meant(line.slice(i + 1))];
};

// number leaves what is no number to the framework, which says so.
const number = (text) => {
  const t = text.trim();
  if (t === "") return null;
  return Number.isFinite(Number(t)) ? Number(t) : t;
};

const plain = { show: (v) => v ?? "", read: (t) => t };
const numeric = { show: (v) => (v === undefined ? "" : String(v)), read: number };

// fields are by their names in JSON: their label, how many lines, a hint, what holds
// when they are empty.
export const fields = {
  name: { label: "Name", hint: "Letters, digits, blanks, dots, dashes and underlines", ...plain },
  command: { label: "Command", rows: 2, ...plain },
  schedule: { label: "Schedule", hint: "R/2026-03-01T02:00:00Z/P1D, or a cron line such as 30 2 * * mon-fri, or @daily", ...plain },
  scheduleTimeZone: { label: "Time zone", hint: "Of the tz database, such as Europe/Berlin; empty is UTC", ...plain },
  parents: {
    label: "Runs after these jobs", hint: "With commas between; it runs when all of them have succeeded",
    show: (v) => (v ?? []).join(", "), read: (t) => t.split(",").map((p) => p.trim()).filter(Boolean),
  },
  cpus: { label: "CPUs", placeholder: "0.1", ...numeric },
  mem: { label: "Memory in MiB", placeholder: "128", ...numeric },
  disk: { label: "Disk in MiB", placeholder: "256", ...numeric },
  runAsUser: { label: "User", ...plain },
  retries: { label: "Retries", hint: "Of each run", placeholder: "2", ...numeric },
  retryDelay: { label: "Delay between retries", hint: "In the manner of PT60S", ...plain },
  epsilon: { label: "Latest begin", hint: "A run later than this, such as PT30M, is left out; empty: it is made up for", ...plain },
  maxCompletionTime: { label: "Limit in seconds", hint: "A run that takes longer is killed; 0 is no limit", ...numeric },
  owner: { label: "Mail addresses of owners", hint: "With commas between", ...plain },
  ownerName: { label: "Name of the owner", ...plain },
  description: { label: "Description", rows: 2, ...plain },
  tags: {
    label: "Tags", rows: 2, hint: "KEY=VALUE, one a line",
    show: (v) => Object.entries(v ?? {}).map(([k, x]) => `${k}=${shown(x)}`).join("\n"), read: (t) => Object.fromEntries(lines(t).map(pair)),
  },
  environmentVariables: {
    label: "Environment", rows: 3, hint: "NAME=VALUE, one a line",
    show: (v) => (v ?? []).map((e) => `${e.name}=${shown(e.value)}`).join("\n"), read: (t) => lines(t).map(pair).map(([name, value]) => ({ name, value })),
  },
  constraints: {
    label: "Constraints", rows: 2, hint: "ATTRIBUTE EQUALS VALUE, one a line; or LIKE, UNLIKE with a regular expression",
    show: (v) => (v ?? []).map((c) => c.join(" ")).join("\n"),
    read: (t) => lines(t).map((l) => /^(\S+)(?:\s+(\S+))?(?:\s+(.*))?$/.exec(l).slice(1).filter((p) => p !== undefined)),
  },
  files: { label: "Files to fetch", rows: 2, hint: "A URI a line", ...plain },
  container: {
    label: "Container", rows: 3, hint: 'JSON: {"type": "DOCKER", "image": "…"}; empty is none',
    show: (v) => (v ? JSON.stringify(v, null, 1) : ""), read: (t) => (t.trim() ? JSON.parse(t) : null),
  },
};

export const flags = {
  disabled: "Disabled",
  softError: "Dependents go on though it fails",
  highPriority: "High priority",
  async: "Ends by a request (async)",
  dataProcessingJobType: "Counts elements",
};

// overlapOf says what happens when a job is due while it runs.
export const overlapOf = (job) => (job.overlap ? job.overlap : job.concurrent ? "allow" : "skip");

// withFiles keeps what was said of files that are still wanted.
export function withFiles(job, text) {
  const wanted = lines(text);
  const before = new Map((job.fetch ?? []).map((f) => [f.uri, f]));
  if (before.size === 0) return { uris: wanted, fetch: [] };
  return { uris: [], fetch: wanted.map((uri) => before.get(uri) ?? { uri }) };
}

export const filesOf = (job) => [...(job.uris ?? []), ...(job.fetch ?? []).map((f) => f.uri)].join("\n");
