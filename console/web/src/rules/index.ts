// What other pages use of rules: exceptions, and why an event did or did not make a rule fire.

export { Except } from './Except';
export { linkOf } from './links';
export { WhyNot } from './WhyNot';
