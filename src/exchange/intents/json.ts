import { Type, type TSchema } from 'typebox';

export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const FaultSchema = Type.Object({ code: Type.String(), message: Type.String() });
