import { useId } from 'react';
import { FormDialog } from '../../actions/form-dialog';
import { act } from '../../api/client';
import { Choices } from '../../parts/forms/choices';
import { orderIn, ORDERS, type Order } from './order-form';

const LATEST = 'only the latest of a key';

interface Props {
  destination: Order & { id: string };
  onClose: () => void;
}

/** Changes the order in which a destination gets the events of a key. */
export function EditOrder({ destination, onClose }: Props) {
  const selectId = useId();
  const { id, ordering, onPoison, latestOnly } = destination;
  return (
    <FormDialog
      title="Order of deliveries"
      act="Change 1 destination"
      run={(form) => act('patch', '/v1/admin/destinations/{id}', { path: { id }, body: orderIn(form) })}
      onClose={onClose}
    >
      <label htmlFor={selectId}>Events are delivered</label>
      <select id={selectId} name="order" defaultValue={ordering === 'none' ? 'none' : onPoison}>
        {ORDERS.map(([value, meaning]) => (
          <option key={value} value={value}>
            {meaning}
          </option>
        ))}
      </select>
      <Choices
        name="latest"
        label="Skip an event that occurred before one that was delivered of its key"
        options={[LATEST]}
        ticked={latestOnly ? [LATEST] : []}
      />
      <p className="hint">The key is the partitionKey of the event, by default its subject.</p>
    </FormDialog>
  );
}
