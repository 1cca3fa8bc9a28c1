import { useId, type FormEvent } from 'react';
import { readFilters, type Filters } from '../../address';

export interface FilterField<Name extends string> {
  name: Name;
  label: string;
  placeholder?: string;
  /** The values to choose from. Without them, the field takes text. */
  options?: readonly string[];
  /** What it means to choose none of them. Default: any */
  none?: string;
}

interface Props<Name extends string> {
  fields: readonly FilterField<Name>[];
  search: Filters<Name>;
  onFilter: (search: Filters<Name>) => void;
}

/**
 * The filters of a list as fields. Sending the form changes the address, which changes the list. A filter that has no
 * field, because only links set it, gets one while the address has it.
 */
export function FilterForm<Name extends string>({ fields, search, onFilter }: Props<Name>) {
  const set = Object.keys(search) as Name[];
  const others = set.filter((name) => fields.every((field) => field.name !== name));
  const shown: FilterField<Name>[] = [...fields, ...others.map((name) => ({ name, label: name }))];
  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const names = shown.map(({ name }) => name);
    onFilter(readFilters(names, Object.fromEntries(new FormData(event.currentTarget))));
  }
  return (
    // The fields begin anew with each address.
    <form className="filters" aria-label="Filter" key={JSON.stringify(search)} onSubmit={submit}>
      {shown.map((field) => (
        <Field key={field.name} field={field} value={search[field.name] ?? ''} />
      ))}
      <div className="field buttons">
        <button type="submit">Filter</button>
        {set.length > 0 && (
          <button type="button" onClick={() => onFilter({})}>
            Clear
          </button>
        )}
      </div>
    </form>
  );
}

function Field({ field, value }: { field: FilterField<string>; value: string }) {
  const id = useId();
  const { name, label, placeholder, options, none = 'any' } = field;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {options ? (
        <select
          id={id}
          name={name}
          defaultValue={value}
          onChange={(event) => event.currentTarget.form?.requestSubmit()}
        >
          <option value="">{none}</option>
          {options.map((option) => (
            <option key={option}>{option}</option>
          ))}
        </select>
      ) : (
        <input
          id={id}
          name={name}
          defaultValue={value}
          placeholder={placeholder}
          spellCheck={false}
          autoComplete="off"
        />
      )}
    </div>
  );
}
