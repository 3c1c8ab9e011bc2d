import { ArmError } from '../../arm/errors.ts';
import type { KindContext } from '../../arm/kind.ts';
import { isPlatformSubnet, refusePlatform } from '../platform-network.ts';
import { idOf } from '../rules.ts';
import { joinAction, subnetType, type SubnetProperties, type Subnet, type SubnetState } from './schema.ts';

/**
 * The subnet that a request wants to put an interface into. The right is asked first: whoever lacks it doesn't learn
 * whether the subnet is there.
 */
export function findSubnet(context: KindContext, target: string, subnetId: string): Subnet {
  const id = idOf(target, subnetId, subnetType);
  if (!context.may(joinAction, id.text)) {
    throw new ArmError(
      'AuthorizationFailed',
      `'${context.caller.displayName}' may not put a network interface into ${id.text}: that takes ${joinAction} there. ` +
        'Ask the owner of the virtual network for a role that has it.',
      { target },
    );
  }
  if (isPlatformSubnet(context.store, id.text)) refusePlatform('What stands in its subnets');
  const subnet = context.store.get<SubnetProperties, SubnetState>(id.text);
  if (subnet && subnet.provisioningState !== 'Deleting') return subnet;
  throw new ArmError(
    'InvalidParameter',
    `${target}: there is no subnet ${id.text}. Create it first, or correct the id.`,
    { target },
  );
}
