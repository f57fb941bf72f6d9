import { SFNClient } from '@aws-sdk/client-sfn';
import { intercepted, OVER_THE_NETWORK, perAccess } from './aws-access.ts';

export const stateMachineClient = perAccess('stateMachines', (access) =>
  intercepted(
    new SFNClient({ requestHandler: access.requestHandler ?? OVER_THE_NETWORK }),
    'states',
    access,
  ),
);
