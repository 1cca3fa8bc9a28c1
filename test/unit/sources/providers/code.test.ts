import { proveRoom } from '../../../support/sources/prove-room';
import { proof as bitbucket } from './code/bitbucket.proof';
import { proof as github } from './code/github.proof';
import { proof as gitlab } from './code/gitlab.proof';
import { proof as linear } from './code/linear.proof';
import { proof as pagerduty } from './code/pagerduty.proof';
import { proof as sanity } from './code/sanity.proof';

proveRoom([bitbucket, github, gitlab, linear, pagerduty, sanity]);
