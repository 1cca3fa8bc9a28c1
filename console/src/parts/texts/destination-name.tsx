import { useQuery } from '@tanstack/react-query';
import { destinationQuery } from '../../api/queries';
import { Text } from './text';

/** A destination as people know it: its uid or description, else its host; its id while that is not known. */
export function DestinationName({ id }: { id: string }) {
  const { data } = useQuery(destinationQuery(id));
  return data ? <Text>{nameOf(data)}</Text> : <code>{id}</code>;
}

export function nameOf({ uid, description, url }: { uid: string | null; description: string; url: string }): string {
  if (uid !== null) return uid;
  return description === '' ? url.replace(/^https?:\/\//, '') : description;
}
