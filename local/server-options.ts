/**
 * Options of every HTTP server of the local stack. The server never closes an idle connection; the client does. A
 * server that closes one at the moment of a new request cuts that request off (`ECONNRESET`).
 */
export const SERVER_OPTIONS = { keepAliveTimeout: 0 } as const;
