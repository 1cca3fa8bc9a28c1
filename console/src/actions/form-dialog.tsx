import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, type FormEvent, type ReactNode } from 'react';
import { mayHaveActed } from '../api/problem';
import { Dialog } from '../parts/dialog';
import { Fault } from '../parts/fault';

interface Props<Result> {
  title: string;
  /** Label of the button that acts, with its count: `Create 1 key` */
  act: string;
  /** False while the fields are not there yet. */
  isReady?: boolean;
  /** Sends what the form holds. @throws ApiProblem, ConnectionLost, or Error that says what is wrong with a field */
  run: (form: FormData) => Promise<Result>;
  /** What to do when the response is lost, if sending the form again would act again. Without it, it may be sent again. */
  lost?: string;
  /** What takes the place of the form afterwards. Without it, the dialog closes. */
  done?: (result: Result) => ReactNode;
  onClose: () => void;
  /** The fields. */
  children: ReactNode;
}

/** A form that acts once, and then shows what nobody will see again. */
export function FormDialog<Result>(props: Props<Result>) {
  const { title, act, isReady = true, run, lost, done, onClose, children } = props;
  const client = useQueryClient();
  const id = useId();
  const sending = useMutation({
    mutationFn: run,
    ...(done ? {} : { onSuccess: onClose }),
    onSettled: () => void client.invalidateQueries(), // not awaited: reading again may take long
  });
  const { data, error, isPending } = sending;
  const isLost = mayHaveActed(error);
  const isLocked = isPending || (isLost && lost !== undefined);
  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    if (!isLocked) sending.mutate(new FormData(event.currentTarget));
  }
  const result = data === undefined ? undefined : done?.(data);
  return (
    <Dialog title={title} isOpen isWide mayClose={!isPending} onClose={onClose}>
      <div className="stack">
        {result ?? (
          <form id={id} onSubmit={submit}>
            <fieldset className="stack bare" disabled={isLocked}>
              {children}
            </fieldset>
          </form>
        )}
        {error && <Fault error={error} />}
        {isLost && (
          <p className="hint">{lost ?? 'Pressing the button again is safe: the same values are stored once more.'}</p>
        )}
        <div className="actions end">
          <button type="button" onClick={onClose} disabled={isPending}>
            {result ? 'Close' : 'Cancel'}
          </button>
          {!result && (
            <button type="submit" form={id} className="primary" disabled={isLocked || !isReady}>
              {isPending ? 'Under way …' : act}
            </button>
          )}
        </div>
      </div>
    </Dialog>
  );
}
