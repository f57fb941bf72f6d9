/**
 * Options of every HTTP server of the local stack. An idle connection is its client's to close: a server that
 * closes one at the moment at which a request comes cuts that request off (`ECONNRESET`).
 */
export const SERVER_OPTIONS = { keepAliveTimeout: 0 } as const;
