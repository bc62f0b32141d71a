export type FrameErrorCode =
  | "FRAME_NOT_ONE" // the bytes do not begin as a frame does
  | "FRAME_VERSION" // a frame of another version, or with fields that this one does not know
  | "FRAME_CORRUPT" // cut short, followed by something, changed on the way, or made by something else
  | "FRAME_TOO_LARGE" // more members, or more bytes once unpacked, than a frame may have
  | "FRAME_EMPTY"; // no member

/** Bytes that are no frame that can be read, or members that do not make one. */
export class FrameError extends Error {
  override readonly name = "FrameError";
  readonly code: FrameErrorCode;

  constructor(code: FrameErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
