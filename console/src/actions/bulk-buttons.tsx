import { useState } from 'react';
import { BulkDialog, type BulkAction } from './bulk-dialog';

export interface BulkButton {
  label: string;
  isPrimary?: boolean;
  action: BulkAction;
}

/** Buttons that each open the dialog of their action. */
export function BulkButtons({ buttons }: { buttons: readonly BulkButton[] }) {
  const [open, setOpen] = useState<BulkAction>();
  return (
    <>
      {buttons.map(({ label, isPrimary, action }) => (
        <button
          key={label}
          type="button"
          className={isPrimary ? 'primary' : action.isFinal ? 'danger-quiet' : ''}
          onClick={() => setOpen(action)}
        >
          {label}
        </button>
      ))}
      {open && <BulkDialog action={open} onClose={() => setOpen(undefined)} />}
    </>
  );
}
