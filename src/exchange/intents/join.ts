import { Type, type Static } from 'typebox';

/** The file that control seeds a level's machine with: an operator's, or the gate's. */
export const ControlJoinFile = Type.Object({
  version: Type.Literal(1),
  /** Whose it is: the cluster's identity for an operator. */
  cluster: Type.String(),
  control: Type.Object({
    address: Type.String(),
    /** Of the exchange. */
    port: Type.Integer(),
    /** Where the one enrolment is; `ports.controlEnrolment` when left out. */
    enrolmentPort: Type.Optional(Type.Integer()),
    name: Type.String(),
    authority: Type.String(),
  }),
  /** Good for one enrolment; it is taken out of the file once that is done. */
  token: Type.Optional(Type.String()),
});
export type ControlJoinFile = Static<typeof ControlJoinFile>;

/** What the gate calls itself where an operator names its cluster. No cluster's identity is a word. */
export const gatePeer = 'gate';
