import * as z from 'zod';

/** The answer to the gateway: its acknowledgement is kept and will be handled. */
export const acceptedSchema = z.object({ accepted: z.literal(true) });
