import { type LocationBody, type Position, Tracker } from "./tracker.ts";
import { maxLogLines, readTrackingCommand } from "./tracking.ts";

export interface DriverOptions {
  /** From 0 to 1, as `Math.random`. */
  readonly random?: () => number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** One simulated device: where it is, how it is, and what it does when it is told to. */
export class Driver {
  readonly #random: () => number;
  readonly #now: () => number;
  readonly #tracker = new Tracker();
  readonly #lines: string[] = [];
  #latitude = 52.52;
  #longitude = 13.405;
  #battery = 1;

  constructor({ random = Math.random, now = Date.now }: DriverOptions = {}) {
    this.#random = random;
    this.#now = now;
  }

  get position(): Position {
    return { lat: this.#latitude, lon: this.#longitude, at: this.#now() };
  }

  /** A second on the road: what it sends of where it is, undefined where it has nothing to send. */
  drive(): LocationBody | undefined {
    this.#latitude = this.#wander(this.#latitude);
    this.#longitude = this.#wander(this.#longitude);
    return this.#tracker.afterSecond(this.position);
  }

  /** What it sends on another route; one that the sample does not have gets a time. */
  bodyFor(route: string): object {
    const at = this.#now();
    switch (route) {
      case "activity":
        return { activity: this.#random() < 0.8 ? "driving" : "waiting", at };
      case "health":
        this.#battery = Math.max(0, Math.round(this.#battery * 1000 - 1) / 1000);
        return { battery: this.#battery, at };
      default:
        return { at };
    }
  }

  /** Does what a command says and gives what the answer says. @throws {Error} for the command's sender */
  obey(body: unknown): unknown {
    const command = readTrackingCommand(body);
    this.note(`command ${command.command}`);
    switch (command.command) {
      case "track":
        this.#tracker.set(command.args);
        return this.#tracker.settings;
      case "locate":
        return this.position;
      case "sendLog":
        return { lines: this.#lines.slice(-command.args.lines) };
      default:
        return command satisfies never;
    }
  }

  /** Adds a line to its log. */
  note(text: string): void {
    this.#lines.push(`${new Date(this.#now()).toISOString()} ${text}`);
    if (this.#lines.length > maxLogLines) this.#lines.shift();
  }

  /** A coordinate after one second, at most about 15 m away. */
  #wander(degrees: number): number {
    return Number((degrees + (this.#random() - 0.5) * 0.000_27).toFixed(6));
  }
}
