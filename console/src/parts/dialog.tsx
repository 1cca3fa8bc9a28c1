import { Dialog as Base } from '@base-ui/react/dialog';
import type { ReactNode } from 'react';

interface Props {
  title: string;
  isOpen: boolean;
  /** False while something is under way that the dialog has to tell about. */
  mayClose?: boolean;
  onClose: () => void;
  isWide?: boolean;
  children: ReactNode;
}

/** A modal dialog: keeps the focus, closes with Escape, and gives the focus back. */
export function Dialog({ title, isOpen, mayClose = true, onClose, isWide = false, children }: Props) {
  return (
    <Base.Root
      open={isOpen}
      onOpenChange={(open) => !open && mayClose && onClose()}
      disablePointerDismissal={isWide} // a click beside it must not lose what was typed
    >
      <Base.Portal>
        <Base.Backdrop className="backdrop" />
        <Base.Popup className={isWide ? 'dialog wide' : 'dialog'}>
          <Base.Title className="dialog-title">{title}</Base.Title>
          {children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
