// An event on a page of its own: what links from elsewhere lead to.

import { useParams as usePath } from '@tanstack/react-router';
import { Page, useTitle } from '../ui/Layout';
import { visible } from '../ui/text';
import css from './event.module.css';
import { EventView } from './EventView';

export default function EventPage() {
  const { id = '' } = usePath({ strict: false }) as { id?: string };
  useTitle(`Event ${visible(id)}`);
  return (
    <Page title={<>Event <span className="mono dim">{visible(id)}</span></>}>
      <h2 className="unseen">What was received, and what was read from it</h2>
      <div className={css.alone}>
        <EventView key={id} eventId={id} wide />
      </div>
    </Page>
  );
}
