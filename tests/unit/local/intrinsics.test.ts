import { describe, expect, it } from 'vitest';
import {
  pseudoParameters,
  resolveIntrinsics,
  UnknownIntrinsicError,
} from '../../../local/stack/intrinsics.ts';

const values = {
  references: {
    ...pseudoParameters('eu-central-1', '000000000000'),
    Queue: 'http://127.0.0.1:9324/000000000000/queue',
  },
  attributes: { 'Queue.Arn': 'arn:aws:sqs:eu-central-1:000000000000:queue' },
};

describe('resolveIntrinsics', () => {
  it.each([
    ['Ref', { Ref: 'Queue' }, 'http://127.0.0.1:9324/000000000000/queue'],
    ['Ref to a pseudo parameter', { Ref: 'AWS::Region' }, 'eu-central-1'],
    [
      'Fn::GetAtt as a list',
      { 'Fn::GetAtt': ['Queue', 'Arn'] },
      'arn:aws:sqs:eu-central-1:000000000000:queue',
    ],
    [
      'Fn::GetAtt as a string',
      { 'Fn::GetAtt': 'Queue.Arn' },
      'arn:aws:sqs:eu-central-1:000000000000:queue',
    ],
    [
      'Fn::Sub',
      { 'Fn::Sub': 'arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:x ${Queue.Arn}' },
      'arn:aws:states:eu-central-1:000000000000:x arn:aws:sqs:eu-central-1:000000000000:queue',
    ],
    ['Fn::Join', { 'Fn::Join': ['/', ['a', { Ref: 'AWS::Region' }]] }, 'a/eu-central-1'],
  ])('resolves %s', (_name, template, resolved) => {
    expect(resolveIntrinsics(template, values)).toBe(resolved);
  });

  it('resolves at any depth and leaves everything else alone', () => {
    const template = {
      list: [1, { Ref: 'AWS::Region' }, null],
      deep: { flag: true, text: 'a ${thing}', url: { Ref: 'AWS::URLSuffix' } },
    };
    expect(resolveIntrinsics(template, values)).toEqual({
      list: [1, 'eu-central-1', null],
      deep: { flag: true, text: 'a ${thing}', url: 'amazonaws.com' },
    });
  });

  it.each([
    ['a resource', { Ref: 'Nothing' }, 'Nothing'],
    ['an attribute', { 'Fn::GetAtt': ['Queue', 'Colour'] }, 'Queue.Colour'],
    ['a part of a text', { 'Fn::Sub': 'x-${Nothing}' }, 'Nothing'],
    ['a function', { 'Fn::ImportValue': 'x' }, 'Fn::ImportValue'],
  ])('names %s that it does not know', (_name, template, subject) => {
    const resolve = () => resolveIntrinsics(template, values);
    expect(resolve).toThrow(UnknownIntrinsicError);
    expect(resolve).toThrow(subject);
  });
});
