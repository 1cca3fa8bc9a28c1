import { useState } from 'react';
import type { JsonNode } from '../../json/exact-json';
import { visibleText } from '../../json/visible-text';
import { countOf, formatCount } from '../../format/numbers';

/** Bounds of what is drawn at once; a button shows more. */
const CHILDREN_SHOWN = 100;
const CHARACTERS_SHOWN = 500;
/** Deeper levels, and larger ones, begin closed. */
const LEVELS_OPEN = 3;

export function PayloadTree({ text, root }: { text: string; root: JsonNode }) {
  return (
    <div className="tree">
      <Node text={text} node={root} name={undefined} level={1} />
    </div>
  );
}

interface NodeProps {
  text: string;
  node: JsonNode;
  name: string | undefined;
  level: number;
}

function Node({ text, node, name, level }: NodeProps) {
  if (node.kind === 'object' || node.kind === 'array') return <Branch {...{ text, node, name, level }} />;
  return (
    <div className="leaf">
      <Name name={name} />
      <Scalar kind={node.kind} text={text.slice(node.start, node.end)} />
    </div>
  );
}

function Branch({ text, node, name, level }: NodeProps) {
  const children = childrenOf(node);
  const [isOpen, setIsOpen] = useState(level <= LEVELS_OPEN && children.length <= CHILDREN_SHOWN);
  const [shown, setShown] = useState(CHILDREN_SHOWN);
  const size =
    node.kind === 'object' ? `{${countOf(children.length, 'member')}}` : `[${countOf(children.length, 'item')}]`;
  if (children.length === 0) {
    return (
      <div className="leaf">
        <Name name={name} />
        <code>{node.kind === 'object' ? '{}' : '[]'}</code>
      </div>
    );
  }
  return (
    <details open={isOpen} onToggle={(event) => setIsOpen(event.currentTarget.open)}>
      <summary>
        <Name name={name} />
        <span className="hint">{size}</span>
      </summary>
      {isOpen && (
        <div className="children">
          {children.slice(0, shown).map(({ name: child, value }, i) => (
            <Node key={i} text={text} node={value} name={child} level={level + 1} />
          ))}
          {children.length > shown && (
            <button type="button" onClick={() => setShown(shown + 10 * CHILDREN_SHOWN)}>
              Show more ({formatCount(children.length - shown)} left)
            </button>
          )}
        </div>
      )}
    </details>
  );
}

function childrenOf(node: JsonNode): { name: string; value: JsonNode }[] {
  if (node.kind === 'object') return node.members;
  return node.kind === 'array' ? node.items.map((value, i) => ({ name: String(i), value })) : [];
}

function Name({ name }: { name: string | undefined }) {
  if (name === undefined) return null;
  return (
    <>
      <bdi className="name">{visibleText(name === '' ? '""' : name)}</bdi>
      <span aria-hidden="true">: </span>
    </>
  );
}

function Scalar({ kind, text }: { kind: string; text: string }) {
  const [isWhole, setIsWhole] = useState(false);
  const isLong = text.length > CHARACTERS_SHOWN;
  const shown = isLong && !isWhole ? `${text.slice(0, CHARACTERS_SHOWN)}…` : text;
  return (
    <>
      <bdi className={`scalar ${kind}`}>{visibleText(shown)}</bdi>
      {isLong && !isWhole && (
        <button type="button" className="inline" onClick={() => setIsWhole(true)}>
          Show all {formatCount(text.length)} characters
        </button>
      )}
    </>
  );
}
