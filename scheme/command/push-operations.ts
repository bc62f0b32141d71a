/** An operation of the push endpoint: what a caller of it is allowed, and what the gateway has a route for. */
export interface PushRoute {
  readonly method: "GET" | "POST" | "DELETE";
  /** As API Gateway and OpenAPI write it. */
  readonly path: string;
}

/** The push endpoint's operations, by the ids that they have in its OpenAPI document. */
export const pushOperations = {
  sendCommand: { method: "POST", path: "/devices/{deviceId}/commands" },
  sendCommands: { method: "POST", path: "/commands" },
  getCommand: { method: "GET", path: "/commands/{commandId}" },
  listCommands: { method: "GET", path: "/devices/{deviceId}/commands" },
  getDevice: { method: "GET", path: "/devices/{deviceId}" },
  clearCommands: { method: "DELETE", path: "/devices/{deviceId}/commands" },
  publish: { method: "POST", path: "/publish" },
  getOpenApi: { method: "GET", path: "/openapi.json" },
} as const satisfies Readonly<Record<string, PushRoute>>;

export type PushOperationId = keyof typeof pushOperations;
