import { Choices } from './choices';
import { Field } from './field';
import { WEEKDAYS, type Hours } from './hours-form';

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

interface Props {
  hours: Hours | null | undefined;
  zoneLabel: string;
  daysLabel: string;
}

/** Hours of some days in a time zone; hoursIn reads them. */
export function HoursFields({ hours, zoneLabel, daysLabel }: Props) {
  const { timeZone, weekdays, from, to } = hours ?? {};
  return (
    <>
      <Field name="timeZone" label={zoneLabel} placeholder="Europe/Berlin" defaultValue={textOf(timeZone)} />
      <Choices
        name="weekdays"
        label={daysLabel}
        options={WEEKDAYS}
        ticked={Array.isArray(weekdays) ? weekdays.map(textOf) : WEEKDAYS}
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
