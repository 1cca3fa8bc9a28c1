import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { FormDialog } from '../../actions/form-dialog';
import { textIn } from '../../actions/form-values';
import { SwitchDialog, type Switch } from '../../actions/switch-dialog';
import { expectationsQuery } from '../../api/access-queries';
import { act, remove } from '../../api/client';
import type { Schema } from '../../api/endpoints';
import { CopyCurl } from '../../parts/copy/copy-curl';
import { Field } from '../../parts/forms/field';
import { Table, unseen } from '../../parts/lists/table';
import { Empty, Section } from '../../parts/page';
import { Pending } from '../../parts/pending';
import { Text } from '../../parts/texts/text';
import { useMay } from '../../session/caller';
import { SilenceFields } from './silence-fields';
import { silenceFieldsIn } from './silence-form';
import { activeText, expectedText, learnedText } from './silence-words';

type Expectation = Schema<'ExpectationResponse'>;

/** What is expected of the event types of a tenant. */
export function Expectations({ tenantId }: { tenantId: string }) {
  const { data, error, refetch } = useQuery(expectationsQuery(tenantId));
  const mayOperate = useMay('operator');
  const [editing, setEditing] = useState<Expectation | 'new'>();
  const [ending, setEnding] = useState<string>();
  const deletion: Switch = {
    label: 'Delete',
    effect: 'Nothing is expected of the type any more, and its silence is not told.',
    run: (eventType) => remove('/v1/admin/tenants/{tenantId}/expectations/{eventType}', { tenantId, eventType }),
  };
  return (
    <Section
      title="Expected events"
      actions={
        <>
          <CopyCurl method="GET" path={`/v1/admin/tenants/${encodeURIComponent(tenantId)}/expectations`} />
          {mayOperate && (
            <button type="button" onClick={() => setEditing('new')}>
              Expect a type …
            </button>
          )}
        </>
      }
    >
      {!data ? (
        <Pending error={error} refetch={refetch} />
      ) : data.expectations.length === 0 ? (
        <Empty>
          <p>Nothing is expected of a type. A type that is silent for too long can be told as an operator event.</p>
        </Empty>
      ) : (
        <Table columns={['Type', 'At least every', 'Active', 'Usual gaps', unseen('Actions')]}>
          {data.expectations.map((each) => (
            <tr key={each.eventType}>
              <td>
                <Text>{each.eventType}</Text>
              </td>
              <td>{expectedText(each) || '–'}</td>
              <td>{activeText(each) || 'always'}</td>
              <td>{learnedText(each) || 'not learned'}</td>
              <td>
                {mayOperate && (
                  <div className="actions">
                    <button type="button" onClick={() => setEditing(each)}>
                      Change …
                    </button>
                    <button type="button" className="danger-quiet" onClick={() => setEnding(each.eventType)}>
                      Delete …
                    </button>
                  </div>
                )}
              </td>
            </tr>
          ))}
        </Table>
      )}
      {editing && (
        <EditExpectation
          tenantId={tenantId}
          known={editing === 'new' ? undefined : editing}
          onClose={() => setEditing(undefined)}
        />
      )}
      {ending !== undefined && (
        <SwitchDialog id={ending} noun="expectation" of={deletion} onClose={() => setEnding(undefined)} />
      )}
    </Section>
  );
}

interface EditProps {
  tenantId: string;
  known: Expectation | undefined;
  onClose: () => void;
}

function EditExpectation({ tenantId, known, onClose }: EditProps) {
  return (
    <FormDialog
      title={known ? `What is expected of ${known.eventType}` : 'Expect events of a type'}
      act={known ? 'Change 1 expectation' : 'Create 1 expectation'}
      run={(form) => {
        const eventType = known?.eventType ?? textIn(form, 'eventType') ?? '';
        const path = { tenantId, eventType };
        return act('put', '/v1/admin/tenants/{tenantId}/expectations/{eventType}', {
          path,
          body: silenceFieldsIn(form),
        });
      }}
      onClose={onClose}
    >
      {!known && <Field name="eventType" label="Event type" required maxLength={255} placeholder="order.paid" />}
      <SilenceFields {...(known && { rule: known })} />
    </FormDialog>
  );
}
