// One client per service, for calls outside of react-query: commands and streams.

import { createClient } from '@connectrpc/connect';
import { AdmissionService } from '../gen/vedette/v1/admission_pb';
import { AuthService } from '../gen/vedette/v1/auth_pb';
import { BacktestService } from '../gen/vedette/v1/backtest_pb';
import { DemoService } from '../gen/vedette/v1/demo_pb';
import { EventService } from '../gen/vedette/v1/event_pb';
import { IncidentService } from '../gen/vedette/v1/incident_pb';
import { ListService } from '../gen/vedette/v1/list_pb';
import { ModuleService } from '../gen/vedette/v1/module_pb';
import { MonitorService } from '../gen/vedette/v1/monitor_pb';
import { RegistryService } from '../gen/vedette/v1/registry_pb';
import { RuleService } from '../gen/vedette/v1/rule_pb';
import { SourceService } from '../gen/vedette/v1/source_pb';
import { TableService } from '../gen/vedette/v1/table_pb';
import { TenantService } from '../gen/vedette/v1/tenant_pb';
import { UsageService } from '../gen/vedette/v1/usage_pb';
import { transport } from './transport';

export const admission = createClient(AdmissionService, transport);
export const auth = createClient(AuthService, transport);
export const backtests = createClient(BacktestService, transport);
export const demo = createClient(DemoService, transport);
export const events = createClient(EventService, transport);
export const incidents = createClient(IncidentService, transport);
export const lists = createClient(ListService, transport);
export const modules = createClient(ModuleService, transport);
export const monitors = createClient(MonitorService, transport);
export const registry = createClient(RegistryService, transport);
export const rules = createClient(RuleService, transport);
export const sources = createClient(SourceService, transport);
export const tables = createClient(TableService, transport);
export const tenants = createClient(TenantService, transport);
export const usage = createClient(UsageService, transport);
