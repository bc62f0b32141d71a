import { expect, test } from "vitest";
import { checkDeviceId, deviceTopic } from "./topic.ts";

test.for([
  ["Push/SDKControls/{deviceId}", "Push/SDKControls/d42"],
  ["v1/drivers/d42/location", "v1/drivers/d42/location"],
] as const)("%s is for d42 %s", ([topic, name]) => {
  expect(deviceTopic(topic, "d42")).toBe(name);
});

test.for([
  ["", "TOPIC_INVALID"],
  ["v1/+/location", "TOPIC_INVALID"],
  ["v1/#", "TOPIC_INVALID"],
  ["v1/\0", "TOPIC_INVALID"],
  ["$SYS/a", "TOPIC_INVALID"],
  ["v1/{site}/{deviceId}", "TOPIC_INVALID"],
  ["1/2/3/4/5/6/7/8/9", "TOPIC_TOO_DEEP"], // AWS IoT Core would end the connection
] as const)("refuses the topic %j with %s", ([topic, code]) => {
  expect(() => deviceTopic(topic, "d42")).toThrow(expect.objectContaining({ code }));
});

test.for(["", "d/42", "d+", "__proto__"])("refuses the device id %j", (id) => {
  expect(() => checkDeviceId(id)).toThrow(expect.objectContaining({ code: "DEVICE_ID_INVALID" }));
});
