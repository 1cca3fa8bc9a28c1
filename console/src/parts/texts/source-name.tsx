import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { sourceQuery } from '../../api/queries';
import { Text } from './text';

/** A source by its name, which leads to it; its id while that is not known, or when it is deleted. */
export function SourceLink({ id }: { id: string }) {
  const { data } = useQuery({ ...sourceQuery(id), retry: false });
  return (
    <Link to="/sources/$sourceId" params={{ sourceId: id }}>
      {data ? <Text>{data.name}</Text> : <code>{id}</code>}
    </Link>
  );
}
