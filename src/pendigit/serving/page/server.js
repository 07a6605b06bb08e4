// The server: its answers, its absence and its return.

const POLL = 1000; // milliseconds between looks for a server that is away
const TOKEN = "pendigit-token"; // where the tab keeps the token

// What the server refuses, in its own words.
export class Refusal extends Error {}
// The server cannot be reached. It says "away" once, then "back".
export class Away extends Error {}

// Fires "away" and "back".
export class Server extends EventTarget {
  #isAway = false;
  #askToken;

  // `askToken` is called where a token is needed, and promises one.
  constructor(askToken) {
    super();
    this.#askToken = askToken;
  }

  get isAway() {
    return this.#isAway;
  }

  // A picture file -> its reading, with each digit's frame.
  async read(file, drawn) {
    return (await this.#ask("POST", "v1/read", { details: true, drawn }, file)).json();
  }

  // Whether it keeps corrections.
  async keeps() {
    return (await (await this.#ask("GET", "healthz")).json()).keeps_corrections;
  }

  // Keep a picture file with the box [left, top, right, bottom] of a digit, what it was read as, and what it is.
  async correct(file, box, read, digit) {
    return (await this.#ask("POST", "v1/corrections", { digit, read, box: box.join(",") }, file)).json();
  }

  async forget(id) {
    await this.#ask("DELETE", `v1/corrections/${id}`);
  }

  // Corrections after the number `after`, of one digit or of all.
  async corrections(digit, after = 0, limit = 100) {
    return (await this.#ask("GET", "v1/corrections", { digit, after, limit })).json();
  }

  async crop(id) {
    return (await this.#ask("GET", `v1/corrections/${id}/crop`)).blob();
  }

  async archive() {
    return (await this.#ask("GET", "v1/corrections.zip")).blob();
  }

  // The weights of the tutorials' network, one array after the other.
  async layers() {
    return new Float32Array(await (await this.#ask("GET", "v1/layers")).arrayBuffer());
  }

  async #ask(method, path, query = {}, body = undefined) {
    const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
    const url = given.length ? `${path}?${new URLSearchParams(given)}` : path;
    const token = sessionStorage.getItem(TOKEN);
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    if (body) headers["Content-Type"] = body.type || "application/octet-stream";
    const response = await fetch(url, { method, body, headers }).catch(() => this.#lose());
    if (response.ok) return response;
    if (response.status === 401) {
      sessionStorage.setItem(TOKEN, await this.#askToken());
      return this.#ask(method, path, query, body);
    }
    if (response.status === 503) {
      await pause(1000 * (Number(response.headers.get("Retry-After")) || 1));
      return this.#ask(method, path, query, body);
    }
    throw new Refusal((await response.json().catch(() => ({}))).detail ?? `${response.status} ${response.statusText}`);
  }

  #lose() {
    if (!this.#isAway) {
      this.#isAway = true;
      this.dispatchEvent(new Event("away"));
      this.#watch();
    }
    throw new Away();
  }

  async #watch() {
    do await pause(POLL);
    while (!(await fetch("healthz").then((response) => response.ok, () => false)));
    this.#isAway = false;
    this.dispatchEvent(new Event("back"));
  }
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
