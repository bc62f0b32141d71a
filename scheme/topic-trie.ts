/**
 * Finds the values of all topic filters that select a topic. The cost is that of the topic's levels and of what is
 * found, not of how many filters there are.
 *
 * The rules are those of `topicMatcher`: `#` needs a level below it, and a wildcard on the first level does not select
 * topics that begin with `$`.
 */
export class TopicTrie<Value> {
  readonly #root = new Node<Value>();

  /** One filter may be added with several values. */
  add(filter: string, value: Value): void {
    const levels = filter.split("/");
    const isForAll = levels.at(-1) === "#";
    let node = this.#root;
    for (const level of isForAll ? levels.slice(0, -1) : levels) node = node.below(level);
    (isForAll ? node.belowAll : node.values).push(value);
  }

  /** The values of the filters that select a topic, each as often as it was added, in no particular order. */
  match(topic: string): Value[] {
    const found: Value[] = [];
    this.#collect(this.#root, topic, 0, found);
    return found;
  }

  /** @param start of the first level that the way to the node has not taken; beyond the topic when there is none */
  #collect(node: Node<Value>, topic: string, start: number, found: Value[]): void {
    if (start > topic.length) {
      append(found, node.values);
      return;
    }
    const slash = topic.indexOf("/", start);
    const end = slash < 0 ? topic.length : slash;
    const exact = node.children.get(topic.slice(start, end));
    if (exact !== undefined) this.#collect(exact, topic, end + 1, found);
    if (start === 0 && topic.startsWith("$")) return;
    append(found, node.belowAll);
    if (node.any !== undefined) this.#collect(node.any, topic, end + 1, found);
  }
}

class Node<Value> {
  readonly children = new Map<string, Node<Value>>();
  any: Node<Value> | undefined;
  /** Of filters that end here. */
  readonly values: Value[] = [];
  /** Of filters whose next and last level is `#`. */
  readonly belowAll: Value[] = [];

  below(level: string): Node<Value> {
    if (level === "+") {
      this.any ??= new Node();
      return this.any;
    }
    const present = this.children.get(level);
    if (present !== undefined) return present;
    const made = new Node<Value>();
    this.children.set(level, made);
    return made;
  }
}

/** Not by a spread: a call takes no more than some ten thousand arguments. */
function append<Value>(list: Value[], values: readonly Value[]): void {
  for (const value of values) list.push(value);
}
