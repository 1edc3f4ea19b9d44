// The events of the server. EventSource cannot send the token, so the stream is read by hand.
const TOKEN = "kmbridge-token";
const SILENCE_MS = 6000; // The server speaks every second; after this it is gone, whatever the connection says.
const AGAIN_MS = 2000;

class RefusedError extends Error {}

class Stream {
  constructor({ onEvent, onState, onRefused }) {
    this.onEvent = onEvent;
    this.onState = onState;
    this.onRefused = onRefused;
  }

  async run() {
    for (;;) {
      try {
        await this.read();
      } catch (error) {
        if (error instanceof RefusedError) {
          await this.onRefused();
          continue;
        }
      }
      this.onState("lost");
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }

  async read() {
    const abort = new AbortController();
    let watch = setTimeout(() => abort.abort(), SILENCE_MS);
    try {
      const token = sessionStorage.getItem(TOKEN);
      const headers = token ? { Authorization: `Bearer ${token}` } : {};
      const answer = await fetch("/events", { headers, cache: "no-store", signal: abort.signal });
      if (answer.status === 401) throw new RefusedError();
      if (!answer.ok) return;
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        clearTimeout(watch);
        watch = setTimeout(() => abort.abort(), SILENCE_MS);
        const blocks = (rest + value).split("\n\n");
        rest = blocks.pop();
        for (const block of blocks) this.take(block);
      }
    } finally {
      clearTimeout(watch);
      abort.abort();
    }
  }

  take(block) {
    const fields = new Map(block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
    this.onState("live");
    this.onEvent(fields.get("event"), JSON.parse(fields.get("data")));
  }
}
