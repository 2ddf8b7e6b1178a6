// Debian's Chromium, headless, in an empty profile, with a microphone that beeps; and a visitor at the lab's page.
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { LIMIT_MS, eventually } from "./eventually.mjs";
import { watch } from "./watch.mjs";

export class Visitor {
  // Opens the page in a browser of its own. `prepare` is called with the page before it loads.
  static async visit(lab, { executable, microphone = true, prepare = () => {}, ...more }) {
    const profile = await mkdtemp(join(tmpdir(), "ringfence-profile-"));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: executable,
      headless: true,
      args: [
        `--ignore-certificate-errors-spki-list=${lab.key}`,
        "--use-fake-device-for-media-stream",
        "--allow-loopback-in-peer-connection", // so that a machine without a network can call its lab
      ],
      ...more,
    });
    const visitor = new Visitor(context, profile);
    try {
      await visitor.#open(lab, microphone, prepare);
      return visitor;
    } catch (error) {
      await visitor.leave();
      throw error;
    }
  }

  constructor(context, profile) {
    this.context = context;
    this.profile = profile;
    this.console = [];
    this.sockets = [];
    this.frames = [];
  }

  async #open(lab, microphone, prepare) {
    const { origin } = new URL(lab.page);
    await this.context.grantPermissions(microphone ? ["microphone"] : [], { origin });
    this.context.setDefaultTimeout(LIMIT_MS);
    this.page = this.context.pages()[0];
    this.page.on("console", (message) => this.console.push(message.text()));
    this.page.on("pageerror", (error) => this.console.push(String(error)));
    this.page.on("websocket", (socket) => {
      this.sockets.push(socket.url());
      socket.on("framesent", ({ payload }) => this.frames.push(String(payload)));
    });
    await this.page.addInitScript(watch);
    await prepare(this.page);
    await this.page.goto(lab.page);
  }

  // By its name, as a screen reader announces it.
  button(name) {
    return this.page.getByRole("button", { name, exact: true });
  }

  async says(text) {
    const status = this.page.getByRole("status");
    await status.filter({ hasText: text }).waitFor().catch(async () => {
      const instead = [await status.innerText(), ...this.console].join("; ");
      throw new Error(`the page does not say ${text}, but: ${instead}`);
    });
  }

  // All that the page sent on its WebSockets.
  sent() {
    return this.frames.join("\n");
  }

  // A function of the page's own world; see `watch`.
  ask(question) {
    return this.page.evaluate(question);
  }

  // Asks until the answer is true, and gives it.
  async until(question) {
    let answer;
    await eventually(String(question), async () => (answer = await this.ask(question)));
    return answer;
  }

  // When it returns, the browser and its profile are gone.
  async leave() {
    await this.context.close();
    await eventually("the browser is gone", async () => !(await running(this.profile)));
    await rm(this.profile, { recursive: true, force: true });
  }
}

// Whether any process has this text in its arguments.
async function running(text) {
  const ids = (await readdir("/proc")).filter((name) => /^[0-9]+$/.test(name));
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, "utf8").catch(() => "")));
  return lines.some((line) => line.includes(text));
}
