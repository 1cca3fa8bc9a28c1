import { visibleText } from '../../json/visible-text';

/** Text of a stranger on one line. It keeps its direction to itself, and shows characters that would be invisible. */
export function Text({ children }: { children: string }) {
  return (
    <bdi className="text" title={children.length > 60 ? children.slice(0, 1_000) : undefined}>
      {visibleText(children)}
    </bdi>
  );
}
