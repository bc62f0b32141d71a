import type { Plan } from "./plan.ts";

/** Whether AWS would let a service, acting for one of its resources, invoke a function. */
export function mayInvoke(
  { permissions }: Plan,
  service: "events.amazonaws.com" | "iot.amazonaws.com",
  sourceArn: string,
  functionArn: string,
): boolean {
  return permissions.some(
    (permission) =>
      permission.functionArn === functionArn &&
      permission.principal === service &&
      (permission.sourceArn === undefined || permission.sourceArn === sourceArn),
  );
}
