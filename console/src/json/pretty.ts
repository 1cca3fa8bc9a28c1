import { parseExact, type JsonNode } from './exact-json';

/** Returns the same JSON with two spaces a level. Scalars and names keep their text. @throws JsonSyntaxError */
export function pretty(text: string): string {
  const parts: string[] = [];
  write(text, parseExact(text), '\n', parts);
  return parts.join('');
}

function write(text: string, node: JsonNode, newLine: string, parts: string[]): void {
  if (node.kind === 'object') {
    if (node.members.length === 0) return void parts.push('{}');
    const inner = `${newLine}  `;
    node.members.forEach(({ name, value }, i) => {
      parts.push(i === 0 ? '{' : ',', inner, JSON.stringify(name), ': ');
      write(text, value, inner, parts);
    });
    parts.push(newLine, '}');
  } else if (node.kind === 'array') {
    if (node.items.length === 0) return void parts.push('[]');
    const inner = `${newLine}  `;
    node.items.forEach((item, i) => {
      parts.push(i === 0 ? '[' : ',', inner);
      write(text, item, inner, parts);
    });
    parts.push(newLine, ']');
  } else {
    parts.push(text.slice(node.start, node.end));
  }
}
