import type { DeviceStore } from "./store.ts";

/** A store whose values a test can look at, and take to another device. */
export interface MemoryStore extends DeviceStore {
  values: Map<string, string>;
}

export function memoryStore(): MemoryStore {
  const store: MemoryStore = {
    values: new Map(),
    load: async () => [...store.values],
    set: async (key, value) => {
      store.values.set(key, value);
    },
    delete: async (key) => {
      store.values.delete(key);
    },
  };
  return store;
}
