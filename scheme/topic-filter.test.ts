import { expect, test } from "vitest";
import { filterProblem, matchesFilter } from "./topic-filter.ts";

test.for([
  ["sensor/temp", "sensor/temp", true],
  ["sensor/temp", "Sensor/temp", false], // case-sensitive
  ["sensor/+", "sensor/a", true],
  ["sensor/+", "sensor/a/b", false], // one level only
  ["sensor/+", "sensor", false],
  ["sensor/+", "sensor/", true], // an empty level is a level
  ["+/+", "/x", true],
  ["+", "/x", false],
  ["sensor/#", "sensor", false], // AWS IoT, not MQTT
  ["sensor/#", "sensor/", true],
  ["sensor/#", "sensor/a/b/c", true],
  ["a/+/c/#", "a/b/c/d/e", true],
  ["a/+/c/#", "a/b/c", false],
  ["#", "a", true],
  ["#", "$aws/events", false], // MQTT 5 §4.7.2
  ["+/events", "$aws/events", false],
  ["$aws/#", "$aws/events", true],
  ["a/#", "a/$b", true], // $ matters on the first level only
] as const)("filter %s, topic %s: %s", ([filter, topic, selected]) => {
  expect(matchesFilter(filter, topic)).toBe(selected);
});

test.for([
  ["a/b", undefined],
  ["#", undefined],
  ["+/a/#", undefined],
  ["", "a topic filter is not empty"],
  ["a/#/b", "# stands only on a topic filter's last level"],
  ["a/b#", "+ and # stand alone on their level"],
  ["a+/b", "+ and # stand alone on their level"],
  ["a\0", "a topic filter has no NUL character"],
] as const)("filter %j: %s", ([filter, problem]) => {
  expect(filterProblem(filter)).toBe(problem);
});
