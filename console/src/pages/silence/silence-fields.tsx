import { Choices } from '../../parts/forms/choices';
import { Field } from '../../parts/forms/field';
import { WEEKDAYS, type SilenceForm } from './silence-form';

const LEARN = 'learn what is usual';
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** What may be expected of a source or of a type. */
export function SilenceFields({ rule }: { rule?: SilenceForm }) {
  const { timeZone, weekdays, from, to } = rule?.activeHours ?? {};
  const isNew = rule?.activeHours === undefined || rule.activeHours === null;
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
      <Field
        name="timeZone"
        label="Time zone of the active hours (empty: always active)"
        placeholder="Europe/Berlin"
        defaultValue={textOf(timeZone)}
      />
      <Choices
        name="weekdays"
        label="Active on"
        options={WEEKDAYS}
        ticked={Array.isArray(weekdays) && !isNew ? weekdays.map(textOf) : WEEKDAYS}
      />
      <Field name="from" label="From (HH:MM)" placeholder="00:00" defaultValue={textOf(from)} />
      <Field
        name="to"
        label="To (HH:MM; not after From: of the next day)"
        placeholder="24:00"
        defaultValue={textOf(to)}
      />
    </>
  );
}
