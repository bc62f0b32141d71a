/** Something that takes messages from a broker and makes requests of them. */
export interface Subject {
  readonly name: string;
  /** Whether a message that it acknowledged outlives it. */
  readonly isDurable: boolean;
  /** Whether the broker runs with the generated configuration instead of a plain one. */
  readonly wantsGeneratedBroker?: boolean;
  /** Installs what it needs; a text says why it cannot be had here. */
  prepare(): Promise<string | undefined>;
  start(place: Place): Promise<RunningSubject>;
}

export interface Place {
  readonly brokerUrl: string;
  readonly apiUrl: string;
  /** A folder on disk of its own. */
  readonly folder: string;
}

export interface RunningSubject extends AsyncDisposable {
  /** Milliseconds of processor time so far. */
  readonly cpuMs: number;
}
