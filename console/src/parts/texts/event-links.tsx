import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { countOf } from '../../format/numbers';
import { textsIn } from '../../json/filter-text';
import { Text } from './text';

const LINKED = 20;

/** Links to the things that are named, as far as they fit. */
export const linksOf = (ids: readonly string[], noun: string, link: (id: string) => ReactNode): ReactNode[] => [
  ...ids.slice(0, LINKED).map(link),
  ...(ids.length > LINKED ? [`${countOf(ids.length - LINKED, noun)} more`] : []),
];

/** Links to the events that a filter names one by one; none if it selects them otherwise. */
export const chosenEventLinks = (filter: Readonly<Record<string, unknown>>): ReactNode[] =>
  linksOf(textsIn(filter, 'eventIds'), 'event', (eventId) => (
    <Link key={eventId} to="/events/$eventId" params={{ eventId }}>
      Event <Text>{eventId}</Text>
    </Link>
  ));
