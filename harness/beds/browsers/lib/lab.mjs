// One lab: the binary under test on ports of its own, and what it logged.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";

import { LIMIT_MS, eventually } from "./eventually.mjs";

export class Lab {
  // Starts it with further arguments; it answers when this returns.
  static async start(binary, args = []) {
    const folder = await mkdtemp(join(tmpdir(), "ringfence-browsers-"));
    const child = spawn(binary, ["lab", "--folder", folder, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    const lab = new Lab(child, folder);
    try {
      await lab.#up();
      return lab;
    } catch (error) {
      await lab.stop();
      throw error;
    }
  }

  constructor(child, folder) {
    this.child = child;
    const kill = () => child.kill("SIGKILL");
    process.once("exit", kill);
    child.once("exit", () => process.off("exit", kill));
    this.folder = folder;
  }

  async #up() {
    let said = "";
    this.child.stderr.setEncoding("utf8").on("data", (text) => (said += text));
    this.child.stdout.resume();
    await eventually("the lab is up", () => {
      if (this.child.exitCode !== null) throw new Error(`the lab did not start: ${said}`);
      return said.includes("the lab is up");
    });
    const target = await readFile(join(this.folder, "target.toml"), "utf8");
    this.page = target.match(/^page = "(.*)"$/m)[1];
    this.config = target.match(/^config = "(.*)"$/m)[1];
    this.key = await this.#serverKey();
  }

  // SHA-256 of the public key of the server certificate, which the lab's authority has signed: this one the browser is
  // told to trust, and no other.
  async #serverKey() {
    const { hostname, port } = new URL(this.page);
    const ca = await readFile(join(this.folder, "ca.pem"));
    const socket = connect({ host: hostname, port, ca, servername: hostname });
    await once(socket, "secureConnect", { signal: AbortSignal.timeout(LIMIT_MS) });
    const key = socket.getPeerX509Certificate().publicKey.export({ type: "spki", format: "der" });
    socket.destroy();
    return createHash("sha256").update(key).digest("base64");
  }

  // How many requests of this method the signalling answered with this status.
  async saw(method, status) {
    const lines = (await readFile(join(this.folder, "lab.log"), "utf8")).split("\n");
    const wanted = (line) => line.includes(`part=signalling`) && line.includes(` method=${method} status=${status} `);
    return lines.filter(wanted).length;
  }

  async stop() {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const gone = once(this.child, "exit");
      this.child.kill("SIGINT");
      const late = setTimeout(() => this.child.kill("SIGKILL"), LIMIT_MS);
      await gone;
      clearTimeout(late);
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}
