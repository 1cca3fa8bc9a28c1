import { Choices } from '../../parts/forms/choices';
import { Field } from '../../parts/forms/field';
import { HoursFields } from '../../parts/forms/hours-fields';
import type { SilenceForm } from './silence-form';

const LEARN = 'learn what is usual';

/** What may be expected of a source or of a type. */
export function SilenceFields({ rule }: { rule?: SilenceForm }) {
  return (
    <>
      <Field
        name="expectEverySeconds"
        label="Expected at least every … seconds (empty: nothing is expected)"
        type="number"
        min={60}
        max={31_536_000}
        step={1}
        defaultValue={rule?.expectEverySeconds ?? ''}
      />
      <Choices
        name="learn"
        label="Tell a silence of twice the usual gap; this takes four weeks"
        options={[LEARN]}
        ticked={rule?.learnSilence ? [LEARN] : []}
      />
      <HoursFields
        hours={rule?.activeHours}
        zoneLabel="Time zone of the active hours (empty: always active)"
        daysLabel="Active on"
      />
    </>
  );
}
