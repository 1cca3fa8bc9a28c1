import { Tabs } from '@base-ui/react/tabs';
import { useMemo } from 'react';
import { parseExact } from '../../json/exact-json';
import { pretty } from '../../json/pretty';
import { formatBytes } from '../../format/numbers';
import { PayloadTree } from './payload-tree';

/** The payload as a tree, indented, or exactly as it is stored. It is text everywhere, and never becomes HTML. */
export function PayloadView({ payload }: { payload: string }) {
  const root = useMemo(() => parseExact(payload), [payload]);
  const bytes = new TextEncoder().encode(payload).length;
  return (
    <Tabs.Root defaultValue="tree">
      <Tabs.List className="tabs" aria-label="Payload">
        <Tabs.Tab className="tab" value="tree">
          Tree
        </Tabs.Tab>
        <Tabs.Tab className="tab" value="indented">
          Indented
        </Tabs.Tab>
        <Tabs.Tab className="tab" value="exact">
          Exact text
        </Tabs.Tab>
        <span className="hint size">{formatBytes(bytes)}</span>
      </Tabs.List>
      <Tabs.Panel value="tree">
        <PayloadTree text={payload} root={root} />
      </Tabs.Panel>
      <Tabs.Panel value="indented">
        <Indented payload={payload} />
      </Tabs.Panel>
      <Tabs.Panel value="exact">
        <pre className="code payload" tabIndex={0} aria-label="Exact text of the payload">
          {payload}
        </pre>
      </Tabs.Panel>
    </Tabs.Root>
  );
}

function Indented({ payload }: { payload: string }) {
  return (
    <pre className="code payload" tabIndex={0} aria-label="Indented payload">
      {pretty(payload)}
    </pre>
  );
}
