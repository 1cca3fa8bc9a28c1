import { useState } from 'react';
import type { Schema } from '../../api/endpoints';
import { Facts } from '../../parts/texts/facts';
import { useMay } from '../../session/caller';
import { MappingEditor } from './trial/mapping-editor';

interface Props {
  source: Schema<'SourceResponse'>;
  provider: Schema<'ProviderResponse'>;
}

/** Where the fields of an event are found: what the source says, and for the rest its preset. */
export function SourceMapping({ source, provider }: Props) {
  const mayOperate = useMay('operator');
  const [isEditing, setIsEditing] = useState(false);
  const own = new Set(Object.keys(source.mapping));
  const mapping = Object.entries({ ...provider.mapping, ...source.mapping });
  return (
    <>
      <Facts
        facts={Object.fromEntries(
          mapping.map(([field, value]) => [
            `${field}${own.has(field) ? '' : ' (preset)'}`,
            <code className="break" key={field}>
              {typeof value === 'string' ? value : JSON.stringify(value)}
            </code>,
          ]),
        )}
      />
      {mayOperate && (
        <button type="button" onClick={() => setIsEditing(true)}>
          Edit the mapping …
        </button>
      )}
      {isEditing && <MappingEditor {...{ source, provider }} onClose={() => setIsEditing(false)} />}
    </>
  );
}
