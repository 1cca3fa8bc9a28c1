import { FormDialog } from '../../actions/form-dialog';
import { act } from '../../api/client';
import { ShownOnce } from '../../parts/copy/shown-once';
import { OperatorFields, operatorFieldsIn } from './operator-fields';

/** Makes an operator and shows the token. */
export function NewOperator({ onClose }: { onClose: () => void }) {
  return (
    <FormDialog
      title="New operator"
      act="Create 1 operator"
      run={(form) => act('post', '/v1/admin/operators', { body: operatorFieldsIn(form) })}
      lost="The operator may have been created, with a token that nobody has seen. Close this window: if it is in the list, revoke it, and make another one."
      done={({ token }) => (
        <ShownOnce label="Operator token" text={token} copy="Copy the token">
          It signs in to the console, and scripts send it as <code>X-Admin-Token</code>. It is shown only now. If it is
          lost, revoke it and make another operator.
        </ShownOnce>
      )}
      onClose={onClose}
    >
      <OperatorFields />
    </FormDialog>
  );
}
