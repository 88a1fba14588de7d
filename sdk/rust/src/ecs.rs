//! The well-known field names of the Elastic Common Schema.

use crate::Name;

/// The dotted name that a number stands for.
pub fn name(number: u16) -> Option<&'static str> {
    NAMES.get(usize::from(number).checked_sub(1)?).copied()
}

// names: written by conformance/sdks from sdk/go/ecs (go test -run Names -update .)
/// `agent.build.original`
pub const AGENT_BUILD_ORIGINAL: Name = Name(1);
/// `agent.ephemeral_id`
pub const AGENT_EPHEMERAL_ID: Name = Name(2);
/// `agent.id`
pub const AGENT_ID: Name = Name(3);
/// `agent.name`
pub const AGENT_NAME: Name = Name(4);
/// `agent.type`
pub const AGENT_TYPE: Name = Name(5);
/// `agent.version`
pub const AGENT_VERSION: Name = Name(6);
/// `client.address`
pub const CLIENT_ADDRESS: Name = Name(7);
/// `client.as.number`
pub const CLIENT_AS_NUMBER: Name = Name(8);
/// `client.as.organization.name`
pub const CLIENT_AS_ORGANIZATION_NAME: Name = Name(9);
/// `client.bytes`
pub const CLIENT_BYTES: Name = Name(10);
/// `client.domain`
pub const CLIENT_DOMAIN: Name = Name(11);
/// `client.geo.city_name`
pub const CLIENT_GEO_CITY_NAME: Name = Name(12);
/// `client.geo.country_iso_code`
pub const CLIENT_GEO_COUNTRY_ISO_CODE: Name = Name(13);
/// `client.geo.country_name`
pub const CLIENT_GEO_COUNTRY_NAME: Name = Name(14);
/// `client.ip`
pub const CLIENT_IP: Name = Name(15);
/// `client.mac`
pub const CLIENT_MAC: Name = Name(16);
/// `client.nat.ip`
pub const CLIENT_NAT_IP: Name = Name(17);
/// `client.nat.port`
pub const CLIENT_NAT_PORT: Name = Name(18);
/// `client.packets`
pub const CLIENT_PACKETS: Name = Name(19);
/// `client.port`
pub const CLIENT_PORT: Name = Name(20);
/// `client.registered_domain`
pub const CLIENT_REGISTERED_DOMAIN: Name = Name(21);
/// `client.subdomain`
pub const CLIENT_SUBDOMAIN: Name = Name(22);
/// `client.top_level_domain`
pub const CLIENT_TOP_LEVEL_DOMAIN: Name = Name(23);
/// `client.user.domain`
pub const CLIENT_USER_DOMAIN: Name = Name(24);
/// `client.user.email`
pub const CLIENT_USER_EMAIL: Name = Name(25);
/// `client.user.full_name`
pub const CLIENT_USER_FULL_NAME: Name = Name(26);
/// `client.user.group.domain`
pub const CLIENT_USER_GROUP_DOMAIN: Name = Name(27);
/// `client.user.group.id`
pub const CLIENT_USER_GROUP_ID: Name = Name(28);
/// `client.user.group.name`
pub const CLIENT_USER_GROUP_NAME: Name = Name(29);
/// `client.user.hash`
pub const CLIENT_USER_HASH: Name = Name(30);
/// `client.user.id`
pub const CLIENT_USER_ID: Name = Name(31);
/// `client.user.name`
pub const CLIENT_USER_NAME: Name = Name(32);
/// `client.user.roles`
pub const CLIENT_USER_ROLES: Name = Name(33);
/// `cloud.account.id`
pub const CLOUD_ACCOUNT_ID: Name = Name(34);
/// `cloud.account.name`
pub const CLOUD_ACCOUNT_NAME: Name = Name(35);
/// `cloud.availability_zone`
pub const CLOUD_AVAILABILITY_ZONE: Name = Name(36);
/// `cloud.instance.id`
pub const CLOUD_INSTANCE_ID: Name = Name(37);
/// `cloud.instance.name`
pub const CLOUD_INSTANCE_NAME: Name = Name(38);
/// `cloud.machine.type`
pub const CLOUD_MACHINE_TYPE: Name = Name(39);
/// `cloud.project.id`
pub const CLOUD_PROJECT_ID: Name = Name(40);
/// `cloud.project.name`
pub const CLOUD_PROJECT_NAME: Name = Name(41);
/// `cloud.provider`
pub const CLOUD_PROVIDER: Name = Name(42);
/// `cloud.region`
pub const CLOUD_REGION: Name = Name(43);
/// `cloud.service.name`
pub const CLOUD_SERVICE_NAME: Name = Name(44);
/// `container.cpu.usage`
pub const CONTAINER_CPU_USAGE: Name = Name(45);
/// `container.disk.read.bytes`
pub const CONTAINER_DISK_READ_BYTES: Name = Name(46);
/// `container.disk.write.bytes`
pub const CONTAINER_DISK_WRITE_BYTES: Name = Name(47);
/// `container.id`
pub const CONTAINER_ID: Name = Name(48);
/// `container.image.hash.all`
pub const CONTAINER_IMAGE_HASH_ALL: Name = Name(49);
/// `container.image.name`
pub const CONTAINER_IMAGE_NAME: Name = Name(50);
/// `container.image.tag`
pub const CONTAINER_IMAGE_TAG: Name = Name(51);
/// `container.memory.usage`
pub const CONTAINER_MEMORY_USAGE: Name = Name(52);
/// `container.name`
pub const CONTAINER_NAME: Name = Name(53);
/// `container.network.egress.bytes`
pub const CONTAINER_NETWORK_EGRESS_BYTES: Name = Name(54);
/// `container.network.ingress.bytes`
pub const CONTAINER_NETWORK_INGRESS_BYTES: Name = Name(55);
/// `container.runtime`
pub const CONTAINER_RUNTIME: Name = Name(56);
/// `container.security_context.privileged`
pub const CONTAINER_SECURITY_CONTEXT_PRIVILEGED: Name = Name(57);
/// `destination.address`
pub const DESTINATION_ADDRESS: Name = Name(58);
/// `destination.as.number`
pub const DESTINATION_AS_NUMBER: Name = Name(59);
/// `destination.as.organization.name`
pub const DESTINATION_AS_ORGANIZATION_NAME: Name = Name(60);
/// `destination.bytes`
pub const DESTINATION_BYTES: Name = Name(61);
/// `destination.domain`
pub const DESTINATION_DOMAIN: Name = Name(62);
/// `destination.geo.city_name`
pub const DESTINATION_GEO_CITY_NAME: Name = Name(63);
/// `destination.geo.country_iso_code`
pub const DESTINATION_GEO_COUNTRY_ISO_CODE: Name = Name(64);
/// `destination.geo.country_name`
pub const DESTINATION_GEO_COUNTRY_NAME: Name = Name(65);
/// `destination.ip`
pub const DESTINATION_IP: Name = Name(66);
/// `destination.mac`
pub const DESTINATION_MAC: Name = Name(67);
/// `destination.nat.ip`
pub const DESTINATION_NAT_IP: Name = Name(68);
/// `destination.nat.port`
pub const DESTINATION_NAT_PORT: Name = Name(69);
/// `destination.packets`
pub const DESTINATION_PACKETS: Name = Name(70);
/// `destination.port`
pub const DESTINATION_PORT: Name = Name(71);
/// `destination.registered_domain`
pub const DESTINATION_REGISTERED_DOMAIN: Name = Name(72);
/// `destination.subdomain`
pub const DESTINATION_SUBDOMAIN: Name = Name(73);
/// `destination.top_level_domain`
pub const DESTINATION_TOP_LEVEL_DOMAIN: Name = Name(74);
/// `destination.user.domain`
pub const DESTINATION_USER_DOMAIN: Name = Name(75);
/// `destination.user.email`
pub const DESTINATION_USER_EMAIL: Name = Name(76);
/// `destination.user.full_name`
pub const DESTINATION_USER_FULL_NAME: Name = Name(77);
/// `destination.user.group.domain`
pub const DESTINATION_USER_GROUP_DOMAIN: Name = Name(78);
/// `destination.user.group.id`
pub const DESTINATION_USER_GROUP_ID: Name = Name(79);
/// `destination.user.group.name`
pub const DESTINATION_USER_GROUP_NAME: Name = Name(80);
/// `destination.user.hash`
pub const DESTINATION_USER_HASH: Name = Name(81);
/// `destination.user.id`
pub const DESTINATION_USER_ID: Name = Name(82);
/// `destination.user.name`
pub const DESTINATION_USER_NAME: Name = Name(83);
/// `destination.user.roles`
pub const DESTINATION_USER_ROLES: Name = Name(84);
/// `dll.hash.cdhash`
pub const DLL_HASH_CDHASH: Name = Name(85);
/// `dll.hash.md5`
pub const DLL_HASH_MD5: Name = Name(86);
/// `dll.hash.sha1`
pub const DLL_HASH_SHA1: Name = Name(87);
/// `dll.hash.sha256`
pub const DLL_HASH_SHA256: Name = Name(88);
/// `dll.hash.sha384`
pub const DLL_HASH_SHA384: Name = Name(89);
/// `dll.hash.sha512`
pub const DLL_HASH_SHA512: Name = Name(90);
/// `dll.hash.ssdeep`
pub const DLL_HASH_SSDEEP: Name = Name(91);
/// `dll.hash.tlsh`
pub const DLL_HASH_TLSH: Name = Name(92);
/// `dll.name`
pub const DLL_NAME: Name = Name(93);
/// `dll.origin_referrer_url`
pub const DLL_ORIGIN_REFERRER_URL: Name = Name(94);
/// `dll.origin_url`
pub const DLL_ORIGIN_URL: Name = Name(95);
/// `dll.path`
pub const DLL_PATH: Name = Name(96);
/// `dns.answers.class`
pub const DNS_ANSWERS_CLASS: Name = Name(97);
/// `dns.answers.data`
pub const DNS_ANSWERS_DATA: Name = Name(98);
/// `dns.answers.name`
pub const DNS_ANSWERS_NAME: Name = Name(99);
/// `dns.answers.ttl`
pub const DNS_ANSWERS_TTL: Name = Name(100);
/// `dns.answers.type`
pub const DNS_ANSWERS_TYPE: Name = Name(101);
/// `dns.header_flags`
pub const DNS_HEADER_FLAGS: Name = Name(102);
/// `dns.id`
pub const DNS_ID: Name = Name(103);
/// `dns.op_code`
pub const DNS_OP_CODE: Name = Name(104);
/// `dns.question.class`
pub const DNS_QUESTION_CLASS: Name = Name(105);
/// `dns.question.name`
pub const DNS_QUESTION_NAME: Name = Name(106);
/// `dns.question.registered_domain`
pub const DNS_QUESTION_REGISTERED_DOMAIN: Name = Name(107);
/// `dns.question.subdomain`
pub const DNS_QUESTION_SUBDOMAIN: Name = Name(108);
/// `dns.question.top_level_domain`
pub const DNS_QUESTION_TOP_LEVEL_DOMAIN: Name = Name(109);
/// `dns.question.type`
pub const DNS_QUESTION_TYPE: Name = Name(110);
/// `dns.resolved_ip`
pub const DNS_RESOLVED_IP: Name = Name(111);
/// `dns.response_code`
pub const DNS_RESPONSE_CODE: Name = Name(112);
/// `dns.type`
pub const DNS_TYPE: Name = Name(113);
/// `email.attachments.file.extension`
pub const EMAIL_ATTACHMENTS_FILE_EXTENSION: Name = Name(114);
/// `email.attachments.file.hash.cdhash`
pub const EMAIL_ATTACHMENTS_FILE_HASH_CDHASH: Name = Name(115);
/// `email.attachments.file.hash.md5`
pub const EMAIL_ATTACHMENTS_FILE_HASH_MD5: Name = Name(116);
/// `email.attachments.file.hash.sha1`
pub const EMAIL_ATTACHMENTS_FILE_HASH_SHA1: Name = Name(117);
/// `email.attachments.file.hash.sha256`
pub const EMAIL_ATTACHMENTS_FILE_HASH_SHA256: Name = Name(118);
/// `email.attachments.file.hash.sha384`
pub const EMAIL_ATTACHMENTS_FILE_HASH_SHA384: Name = Name(119);
/// `email.attachments.file.hash.sha512`
pub const EMAIL_ATTACHMENTS_FILE_HASH_SHA512: Name = Name(120);
/// `email.attachments.file.hash.ssdeep`
pub const EMAIL_ATTACHMENTS_FILE_HASH_SSDEEP: Name = Name(121);
/// `email.attachments.file.hash.tlsh`
pub const EMAIL_ATTACHMENTS_FILE_HASH_TLSH: Name = Name(122);
/// `email.attachments.file.mime_type`
pub const EMAIL_ATTACHMENTS_FILE_MIME_TYPE: Name = Name(123);
/// `email.attachments.file.name`
pub const EMAIL_ATTACHMENTS_FILE_NAME: Name = Name(124);
/// `email.attachments.file.size`
pub const EMAIL_ATTACHMENTS_FILE_SIZE: Name = Name(125);
/// `email.bcc.address`
pub const EMAIL_BCC_ADDRESS: Name = Name(126);
/// `email.cc.address`
pub const EMAIL_CC_ADDRESS: Name = Name(127);
/// `email.content_type`
pub const EMAIL_CONTENT_TYPE: Name = Name(128);
/// `email.delivery_timestamp`
pub const EMAIL_DELIVERY_TIMESTAMP: Name = Name(129);
/// `email.direction`
pub const EMAIL_DIRECTION: Name = Name(130);
/// `email.from.address`
pub const EMAIL_FROM_ADDRESS: Name = Name(131);
/// `email.local_id`
pub const EMAIL_LOCAL_ID: Name = Name(132);
/// `email.message_id`
pub const EMAIL_MESSAGE_ID: Name = Name(133);
/// `email.origination_timestamp`
pub const EMAIL_ORIGINATION_TIMESTAMP: Name = Name(134);
/// `email.reply_to.address`
pub const EMAIL_REPLY_TO_ADDRESS: Name = Name(135);
/// `email.sender.address`
pub const EMAIL_SENDER_ADDRESS: Name = Name(136);
/// `email.subject`
pub const EMAIL_SUBJECT: Name = Name(137);
/// `email.to.address`
pub const EMAIL_TO_ADDRESS: Name = Name(138);
/// `email.x_mailer`
pub const EMAIL_X_MAILER: Name = Name(139);
/// `error.code`
pub const ERROR_CODE: Name = Name(140);
/// `error.id`
pub const ERROR_ID: Name = Name(141);
/// `error.message`
pub const ERROR_MESSAGE: Name = Name(142);
/// `error.stack_trace`
pub const ERROR_STACK_TRACE: Name = Name(143);
/// `error.type`
pub const ERROR_TYPE: Name = Name(144);
/// `event.action`
pub const EVENT_ACTION: Name = Name(145);
/// `event.agent_id_status`
pub const EVENT_AGENT_ID_STATUS: Name = Name(146);
/// `event.category`
pub const EVENT_CATEGORY: Name = Name(147);
/// `event.code`
pub const EVENT_CODE: Name = Name(148);
/// `event.created`
pub const EVENT_CREATED: Name = Name(149);
/// `event.dataset`
pub const EVENT_DATASET: Name = Name(150);
/// `event.duration`
pub const EVENT_DURATION: Name = Name(151);
/// `event.end`
pub const EVENT_END: Name = Name(152);
/// `event.hash`
pub const EVENT_HASH: Name = Name(153);
/// `event.id`
pub const EVENT_ID: Name = Name(154);
/// `event.ingested`
pub const EVENT_INGESTED: Name = Name(155);
/// `event.kind`
pub const EVENT_KIND: Name = Name(156);
/// `event.module`
pub const EVENT_MODULE: Name = Name(157);
/// `event.original`
pub const EVENT_ORIGINAL: Name = Name(158);
/// `event.outcome`
pub const EVENT_OUTCOME: Name = Name(159);
/// `event.provider`
pub const EVENT_PROVIDER: Name = Name(160);
/// `event.reason`
pub const EVENT_REASON: Name = Name(161);
/// `event.reference`
pub const EVENT_REFERENCE: Name = Name(162);
/// `event.risk_score`
pub const EVENT_RISK_SCORE: Name = Name(163);
/// `event.risk_score_norm`
pub const EVENT_RISK_SCORE_NORM: Name = Name(164);
/// `event.sequence`
pub const EVENT_SEQUENCE: Name = Name(165);
/// `event.severity`
pub const EVENT_SEVERITY: Name = Name(166);
/// `event.start`
pub const EVENT_START: Name = Name(167);
/// `event.timezone`
pub const EVENT_TIMEZONE: Name = Name(168);
/// `event.type`
pub const EVENT_TYPE: Name = Name(169);
/// `event.url`
pub const EVENT_URL: Name = Name(170);
/// `file.accessed`
pub const FILE_ACCESSED: Name = Name(171);
/// `file.attributes`
pub const FILE_ATTRIBUTES: Name = Name(172);
/// `file.created`
pub const FILE_CREATED: Name = Name(173);
/// `file.ctime`
pub const FILE_CTIME: Name = Name(174);
/// `file.device`
pub const FILE_DEVICE: Name = Name(175);
/// `file.directory`
pub const FILE_DIRECTORY: Name = Name(176);
/// `file.drive_letter`
pub const FILE_DRIVE_LETTER: Name = Name(177);
/// `file.extension`
pub const FILE_EXTENSION: Name = Name(178);
/// `file.fork_name`
pub const FILE_FORK_NAME: Name = Name(179);
/// `file.gid`
pub const FILE_GID: Name = Name(180);
/// `file.group`
pub const FILE_GROUP: Name = Name(181);
/// `file.hash.cdhash`
pub const FILE_HASH_CDHASH: Name = Name(182);
/// `file.hash.md5`
pub const FILE_HASH_MD5: Name = Name(183);
/// `file.hash.sha1`
pub const FILE_HASH_SHA1: Name = Name(184);
/// `file.hash.sha256`
pub const FILE_HASH_SHA256: Name = Name(185);
/// `file.hash.sha384`
pub const FILE_HASH_SHA384: Name = Name(186);
/// `file.hash.sha512`
pub const FILE_HASH_SHA512: Name = Name(187);
/// `file.hash.ssdeep`
pub const FILE_HASH_SSDEEP: Name = Name(188);
/// `file.hash.tlsh`
pub const FILE_HASH_TLSH: Name = Name(189);
/// `file.inode`
pub const FILE_INODE: Name = Name(190);
/// `file.mime_type`
pub const FILE_MIME_TYPE: Name = Name(191);
/// `file.mode`
pub const FILE_MODE: Name = Name(192);
/// `file.mtime`
pub const FILE_MTIME: Name = Name(193);
/// `file.name`
pub const FILE_NAME: Name = Name(194);
/// `file.origin_referrer_url`
pub const FILE_ORIGIN_REFERRER_URL: Name = Name(195);
/// `file.origin_url`
pub const FILE_ORIGIN_URL: Name = Name(196);
/// `file.owner`
pub const FILE_OWNER: Name = Name(197);
/// `file.path`
pub const FILE_PATH: Name = Name(198);
/// `file.size`
pub const FILE_SIZE: Name = Name(199);
/// `file.target_path`
pub const FILE_TARGET_PATH: Name = Name(200);
/// `file.type`
pub const FILE_TYPE: Name = Name(201);
/// `file.uid`
pub const FILE_UID: Name = Name(202);
/// `group.domain`
pub const GROUP_DOMAIN: Name = Name(203);
/// `group.id`
pub const GROUP_ID: Name = Name(204);
/// `group.name`
pub const GROUP_NAME: Name = Name(205);
/// `host.architecture`
pub const HOST_ARCHITECTURE: Name = Name(206);
/// `host.boot.id`
pub const HOST_BOOT_ID: Name = Name(207);
/// `host.cpu.usage`
pub const HOST_CPU_USAGE: Name = Name(208);
/// `host.disk.read.bytes`
pub const HOST_DISK_READ_BYTES: Name = Name(209);
/// `host.disk.write.bytes`
pub const HOST_DISK_WRITE_BYTES: Name = Name(210);
/// `host.domain`
pub const HOST_DOMAIN: Name = Name(211);
/// `host.geo.city_name`
pub const HOST_GEO_CITY_NAME: Name = Name(212);
/// `host.geo.country_iso_code`
pub const HOST_GEO_COUNTRY_ISO_CODE: Name = Name(213);
/// `host.geo.country_name`
pub const HOST_GEO_COUNTRY_NAME: Name = Name(214);
/// `host.hostname`
pub const HOST_HOSTNAME: Name = Name(215);
/// `host.id`
pub const HOST_ID: Name = Name(216);
/// `host.ip`
pub const HOST_IP: Name = Name(217);
/// `host.mac`
pub const HOST_MAC: Name = Name(218);
/// `host.name`
pub const HOST_NAME: Name = Name(219);
/// `host.network.egress.bytes`
pub const HOST_NETWORK_EGRESS_BYTES: Name = Name(220);
/// `host.network.egress.packets`
pub const HOST_NETWORK_EGRESS_PACKETS: Name = Name(221);
/// `host.network.ingress.bytes`
pub const HOST_NETWORK_INGRESS_BYTES: Name = Name(222);
/// `host.network.ingress.packets`
pub const HOST_NETWORK_INGRESS_PACKETS: Name = Name(223);
/// `host.os.family`
pub const HOST_OS_FAMILY: Name = Name(224);
/// `host.os.full`
pub const HOST_OS_FULL: Name = Name(225);
/// `host.os.kernel`
pub const HOST_OS_KERNEL: Name = Name(226);
/// `host.os.name`
pub const HOST_OS_NAME: Name = Name(227);
/// `host.os.platform`
pub const HOST_OS_PLATFORM: Name = Name(228);
/// `host.os.type`
pub const HOST_OS_TYPE: Name = Name(229);
/// `host.os.version`
pub const HOST_OS_VERSION: Name = Name(230);
/// `host.pid_ns_ino`
pub const HOST_PID_NS_INO: Name = Name(231);
/// `host.type`
pub const HOST_TYPE: Name = Name(232);
/// `host.uptime`
pub const HOST_UPTIME: Name = Name(233);
/// `http.request.body.bytes`
pub const HTTP_REQUEST_BODY_BYTES: Name = Name(234);
/// `http.request.body.content`
pub const HTTP_REQUEST_BODY_CONTENT: Name = Name(235);
/// `http.request.bytes`
pub const HTTP_REQUEST_BYTES: Name = Name(236);
/// `http.request.id`
pub const HTTP_REQUEST_ID: Name = Name(237);
/// `http.request.method`
pub const HTTP_REQUEST_METHOD: Name = Name(238);
/// `http.request.mime_type`
pub const HTTP_REQUEST_MIME_TYPE: Name = Name(239);
/// `http.request.referrer`
pub const HTTP_REQUEST_REFERRER: Name = Name(240);
/// `http.response.body.bytes`
pub const HTTP_RESPONSE_BODY_BYTES: Name = Name(241);
/// `http.response.body.content`
pub const HTTP_RESPONSE_BODY_CONTENT: Name = Name(242);
/// `http.response.bytes`
pub const HTTP_RESPONSE_BYTES: Name = Name(243);
/// `http.response.mime_type`
pub const HTTP_RESPONSE_MIME_TYPE: Name = Name(244);
/// `http.response.status_code`
pub const HTTP_RESPONSE_STATUS_CODE: Name = Name(245);
/// `http.version`
pub const HTTP_VERSION: Name = Name(246);
/// `log.file.path`
pub const LOG_FILE_PATH: Name = Name(247);
/// `log.level`
pub const LOG_LEVEL: Name = Name(248);
/// `log.logger`
pub const LOG_LOGGER: Name = Name(249);
/// `log.syslog.appname`
pub const LOG_SYSLOG_APPNAME: Name = Name(250);
/// `log.syslog.facility.code`
pub const LOG_SYSLOG_FACILITY_CODE: Name = Name(251);
/// `log.syslog.facility.name`
pub const LOG_SYSLOG_FACILITY_NAME: Name = Name(252);
/// `log.syslog.hostname`
pub const LOG_SYSLOG_HOSTNAME: Name = Name(253);
/// `log.syslog.msgid`
pub const LOG_SYSLOG_MSGID: Name = Name(254);
/// `log.syslog.priority`
pub const LOG_SYSLOG_PRIORITY: Name = Name(255);
/// `log.syslog.procid`
pub const LOG_SYSLOG_PROCID: Name = Name(256);
/// `log.syslog.severity.code`
pub const LOG_SYSLOG_SEVERITY_CODE: Name = Name(257);
/// `log.syslog.severity.name`
pub const LOG_SYSLOG_SEVERITY_NAME: Name = Name(258);
/// `log.syslog.version`
pub const LOG_SYSLOG_VERSION: Name = Name(259);
/// `message`
pub const MESSAGE: Name = Name(260);
/// `network.application`
pub const NETWORK_APPLICATION: Name = Name(261);
/// `network.bytes`
pub const NETWORK_BYTES: Name = Name(262);
/// `network.community_id`
pub const NETWORK_COMMUNITY_ID: Name = Name(263);
/// `network.direction`
pub const NETWORK_DIRECTION: Name = Name(264);
/// `network.forwarded_ip`
pub const NETWORK_FORWARDED_IP: Name = Name(265);
/// `network.iana_number`
pub const NETWORK_IANA_NUMBER: Name = Name(266);
/// `network.inner.vlan.id`
pub const NETWORK_INNER_VLAN_ID: Name = Name(267);
/// `network.inner.vlan.name`
pub const NETWORK_INNER_VLAN_NAME: Name = Name(268);
/// `network.name`
pub const NETWORK_NAME: Name = Name(269);
/// `network.packets`
pub const NETWORK_PACKETS: Name = Name(270);
/// `network.protocol`
pub const NETWORK_PROTOCOL: Name = Name(271);
/// `network.transport`
pub const NETWORK_TRANSPORT: Name = Name(272);
/// `network.type`
pub const NETWORK_TYPE: Name = Name(273);
/// `network.vlan.id`
pub const NETWORK_VLAN_ID: Name = Name(274);
/// `network.vlan.name`
pub const NETWORK_VLAN_NAME: Name = Name(275);
/// `observer.egress.interface.alias`
pub const OBSERVER_EGRESS_INTERFACE_ALIAS: Name = Name(276);
/// `observer.egress.interface.id`
pub const OBSERVER_EGRESS_INTERFACE_ID: Name = Name(277);
/// `observer.egress.interface.name`
pub const OBSERVER_EGRESS_INTERFACE_NAME: Name = Name(278);
/// `observer.egress.vlan.id`
pub const OBSERVER_EGRESS_VLAN_ID: Name = Name(279);
/// `observer.egress.vlan.name`
pub const OBSERVER_EGRESS_VLAN_NAME: Name = Name(280);
/// `observer.egress.zone`
pub const OBSERVER_EGRESS_ZONE: Name = Name(281);
/// `observer.geo.city_name`
pub const OBSERVER_GEO_CITY_NAME: Name = Name(282);
/// `observer.geo.country_iso_code`
pub const OBSERVER_GEO_COUNTRY_ISO_CODE: Name = Name(283);
/// `observer.geo.country_name`
pub const OBSERVER_GEO_COUNTRY_NAME: Name = Name(284);
/// `observer.hostname`
pub const OBSERVER_HOSTNAME: Name = Name(285);
/// `observer.ingress.interface.alias`
pub const OBSERVER_INGRESS_INTERFACE_ALIAS: Name = Name(286);
/// `observer.ingress.interface.id`
pub const OBSERVER_INGRESS_INTERFACE_ID: Name = Name(287);
/// `observer.ingress.interface.name`
pub const OBSERVER_INGRESS_INTERFACE_NAME: Name = Name(288);
/// `observer.ingress.vlan.id`
pub const OBSERVER_INGRESS_VLAN_ID: Name = Name(289);
/// `observer.ingress.vlan.name`
pub const OBSERVER_INGRESS_VLAN_NAME: Name = Name(290);
/// `observer.ingress.zone`
pub const OBSERVER_INGRESS_ZONE: Name = Name(291);
/// `observer.ip`
pub const OBSERVER_IP: Name = Name(292);
/// `observer.mac`
pub const OBSERVER_MAC: Name = Name(293);
/// `observer.name`
pub const OBSERVER_NAME: Name = Name(294);
/// `observer.os.family`
pub const OBSERVER_OS_FAMILY: Name = Name(295);
/// `observer.os.full`
pub const OBSERVER_OS_FULL: Name = Name(296);
/// `observer.os.kernel`
pub const OBSERVER_OS_KERNEL: Name = Name(297);
/// `observer.os.name`
pub const OBSERVER_OS_NAME: Name = Name(298);
/// `observer.os.platform`
pub const OBSERVER_OS_PLATFORM: Name = Name(299);
/// `observer.os.type`
pub const OBSERVER_OS_TYPE: Name = Name(300);
/// `observer.os.version`
pub const OBSERVER_OS_VERSION: Name = Name(301);
/// `observer.product`
pub const OBSERVER_PRODUCT: Name = Name(302);
/// `observer.serial_number`
pub const OBSERVER_SERIAL_NUMBER: Name = Name(303);
/// `observer.type`
pub const OBSERVER_TYPE: Name = Name(304);
/// `observer.vendor`
pub const OBSERVER_VENDOR: Name = Name(305);
/// `observer.version`
pub const OBSERVER_VERSION: Name = Name(306);
/// `organization.id`
pub const ORGANIZATION_ID: Name = Name(307);
/// `organization.name`
pub const ORGANIZATION_NAME: Name = Name(308);
/// `package.architecture`
pub const PACKAGE_ARCHITECTURE: Name = Name(309);
/// `package.build_version`
pub const PACKAGE_BUILD_VERSION: Name = Name(310);
/// `package.checksum`
pub const PACKAGE_CHECKSUM: Name = Name(311);
/// `package.description`
pub const PACKAGE_DESCRIPTION: Name = Name(312);
/// `package.install_scope`
pub const PACKAGE_INSTALL_SCOPE: Name = Name(313);
/// `package.installed`
pub const PACKAGE_INSTALLED: Name = Name(314);
/// `package.license`
pub const PACKAGE_LICENSE: Name = Name(315);
/// `package.name`
pub const PACKAGE_NAME: Name = Name(316);
/// `package.path`
pub const PACKAGE_PATH: Name = Name(317);
/// `package.reference`
pub const PACKAGE_REFERENCE: Name = Name(318);
/// `package.size`
pub const PACKAGE_SIZE: Name = Name(319);
/// `package.type`
pub const PACKAGE_TYPE: Name = Name(320);
/// `package.version`
pub const PACKAGE_VERSION: Name = Name(321);
/// `process.args`
pub const PROCESS_ARGS: Name = Name(322);
/// `process.args_count`
pub const PROCESS_ARGS_COUNT: Name = Name(323);
/// `process.command_line`
pub const PROCESS_COMMAND_LINE: Name = Name(324);
/// `process.end`
pub const PROCESS_END: Name = Name(325);
/// `process.entity_id`
pub const PROCESS_ENTITY_ID: Name = Name(326);
/// `process.env_vars`
pub const PROCESS_ENV_VARS: Name = Name(327);
/// `process.executable`
pub const PROCESS_EXECUTABLE: Name = Name(328);
/// `process.exit_code`
pub const PROCESS_EXIT_CODE: Name = Name(329);
/// `process.group.id`
pub const PROCESS_GROUP_ID: Name = Name(330);
/// `process.group.name`
pub const PROCESS_GROUP_NAME: Name = Name(331);
/// `process.hash.cdhash`
pub const PROCESS_HASH_CDHASH: Name = Name(332);
/// `process.hash.md5`
pub const PROCESS_HASH_MD5: Name = Name(333);
/// `process.hash.sha1`
pub const PROCESS_HASH_SHA1: Name = Name(334);
/// `process.hash.sha256`
pub const PROCESS_HASH_SHA256: Name = Name(335);
/// `process.hash.sha384`
pub const PROCESS_HASH_SHA384: Name = Name(336);
/// `process.hash.sha512`
pub const PROCESS_HASH_SHA512: Name = Name(337);
/// `process.hash.ssdeep`
pub const PROCESS_HASH_SSDEEP: Name = Name(338);
/// `process.hash.tlsh`
pub const PROCESS_HASH_TLSH: Name = Name(339);
/// `process.interactive`
pub const PROCESS_INTERACTIVE: Name = Name(340);
/// `process.name`
pub const PROCESS_NAME: Name = Name(341);
/// `process.parent.args`
pub const PROCESS_PARENT_ARGS: Name = Name(342);
/// `process.parent.args_count`
pub const PROCESS_PARENT_ARGS_COUNT: Name = Name(343);
/// `process.parent.command_line`
pub const PROCESS_PARENT_COMMAND_LINE: Name = Name(344);
/// `process.parent.end`
pub const PROCESS_PARENT_END: Name = Name(345);
/// `process.parent.entity_id`
pub const PROCESS_PARENT_ENTITY_ID: Name = Name(346);
/// `process.parent.executable`
pub const PROCESS_PARENT_EXECUTABLE: Name = Name(347);
/// `process.parent.exit_code`
pub const PROCESS_PARENT_EXIT_CODE: Name = Name(348);
/// `process.parent.group.id`
pub const PROCESS_PARENT_GROUP_ID: Name = Name(349);
/// `process.parent.group.name`
pub const PROCESS_PARENT_GROUP_NAME: Name = Name(350);
/// `process.parent.hash.cdhash`
pub const PROCESS_PARENT_HASH_CDHASH: Name = Name(351);
/// `process.parent.hash.md5`
pub const PROCESS_PARENT_HASH_MD5: Name = Name(352);
/// `process.parent.hash.sha1`
pub const PROCESS_PARENT_HASH_SHA1: Name = Name(353);
/// `process.parent.hash.sha256`
pub const PROCESS_PARENT_HASH_SHA256: Name = Name(354);
/// `process.parent.hash.sha384`
pub const PROCESS_PARENT_HASH_SHA384: Name = Name(355);
/// `process.parent.hash.sha512`
pub const PROCESS_PARENT_HASH_SHA512: Name = Name(356);
/// `process.parent.hash.ssdeep`
pub const PROCESS_PARENT_HASH_SSDEEP: Name = Name(357);
/// `process.parent.hash.tlsh`
pub const PROCESS_PARENT_HASH_TLSH: Name = Name(358);
/// `process.parent.interactive`
pub const PROCESS_PARENT_INTERACTIVE: Name = Name(359);
/// `process.parent.name`
pub const PROCESS_PARENT_NAME: Name = Name(360);
/// `process.parent.pid`
pub const PROCESS_PARENT_PID: Name = Name(361);
/// `process.parent.start`
pub const PROCESS_PARENT_START: Name = Name(362);
/// `process.parent.thread.id`
pub const PROCESS_PARENT_THREAD_ID: Name = Name(363);
/// `process.parent.thread.name`
pub const PROCESS_PARENT_THREAD_NAME: Name = Name(364);
/// `process.parent.title`
pub const PROCESS_PARENT_TITLE: Name = Name(365);
/// `process.parent.uptime`
pub const PROCESS_PARENT_UPTIME: Name = Name(366);
/// `process.parent.user.id`
pub const PROCESS_PARENT_USER_ID: Name = Name(367);
/// `process.parent.user.name`
pub const PROCESS_PARENT_USER_NAME: Name = Name(368);
/// `process.parent.vpid`
pub const PROCESS_PARENT_VPID: Name = Name(369);
/// `process.parent.working_directory`
pub const PROCESS_PARENT_WORKING_DIRECTORY: Name = Name(370);
/// `process.pid`
pub const PROCESS_PID: Name = Name(371);
/// `process.start`
pub const PROCESS_START: Name = Name(372);
/// `process.thread.id`
pub const PROCESS_THREAD_ID: Name = Name(373);
/// `process.thread.name`
pub const PROCESS_THREAD_NAME: Name = Name(374);
/// `process.title`
pub const PROCESS_TITLE: Name = Name(375);
/// `process.uptime`
pub const PROCESS_UPTIME: Name = Name(376);
/// `process.user.id`
pub const PROCESS_USER_ID: Name = Name(377);
/// `process.user.name`
pub const PROCESS_USER_NAME: Name = Name(378);
/// `process.vpid`
pub const PROCESS_VPID: Name = Name(379);
/// `process.working_directory`
pub const PROCESS_WORKING_DIRECTORY: Name = Name(380);
/// `registry.data.bytes`
pub const REGISTRY_DATA_BYTES: Name = Name(381);
/// `registry.data.strings`
pub const REGISTRY_DATA_STRINGS: Name = Name(382);
/// `registry.data.type`
pub const REGISTRY_DATA_TYPE: Name = Name(383);
/// `registry.hive`
pub const REGISTRY_HIVE: Name = Name(384);
/// `registry.key`
pub const REGISTRY_KEY: Name = Name(385);
/// `registry.path`
pub const REGISTRY_PATH: Name = Name(386);
/// `registry.value`
pub const REGISTRY_VALUE: Name = Name(387);
/// `related.hash`
pub const RELATED_HASH: Name = Name(388);
/// `related.hosts`
pub const RELATED_HOSTS: Name = Name(389);
/// `related.ip`
pub const RELATED_IP: Name = Name(390);
/// `related.user`
pub const RELATED_USER: Name = Name(391);
/// `rule.author`
pub const RULE_AUTHOR: Name = Name(392);
/// `rule.category`
pub const RULE_CATEGORY: Name = Name(393);
/// `rule.description`
pub const RULE_DESCRIPTION: Name = Name(394);
/// `rule.id`
pub const RULE_ID: Name = Name(395);
/// `rule.license`
pub const RULE_LICENSE: Name = Name(396);
/// `rule.name`
pub const RULE_NAME: Name = Name(397);
/// `rule.reference`
pub const RULE_REFERENCE: Name = Name(398);
/// `rule.ruleset`
pub const RULE_RULESET: Name = Name(399);
/// `rule.uuid`
pub const RULE_UUID: Name = Name(400);
/// `rule.version`
pub const RULE_VERSION: Name = Name(401);
/// `server.address`
pub const SERVER_ADDRESS: Name = Name(402);
/// `server.as.number`
pub const SERVER_AS_NUMBER: Name = Name(403);
/// `server.as.organization.name`
pub const SERVER_AS_ORGANIZATION_NAME: Name = Name(404);
/// `server.bytes`
pub const SERVER_BYTES: Name = Name(405);
/// `server.domain`
pub const SERVER_DOMAIN: Name = Name(406);
/// `server.geo.city_name`
pub const SERVER_GEO_CITY_NAME: Name = Name(407);
/// `server.geo.country_iso_code`
pub const SERVER_GEO_COUNTRY_ISO_CODE: Name = Name(408);
/// `server.geo.country_name`
pub const SERVER_GEO_COUNTRY_NAME: Name = Name(409);
/// `server.ip`
pub const SERVER_IP: Name = Name(410);
/// `server.mac`
pub const SERVER_MAC: Name = Name(411);
/// `server.nat.ip`
pub const SERVER_NAT_IP: Name = Name(412);
/// `server.nat.port`
pub const SERVER_NAT_PORT: Name = Name(413);
/// `server.packets`
pub const SERVER_PACKETS: Name = Name(414);
/// `server.port`
pub const SERVER_PORT: Name = Name(415);
/// `server.registered_domain`
pub const SERVER_REGISTERED_DOMAIN: Name = Name(416);
/// `server.subdomain`
pub const SERVER_SUBDOMAIN: Name = Name(417);
/// `server.top_level_domain`
pub const SERVER_TOP_LEVEL_DOMAIN: Name = Name(418);
/// `server.user.domain`
pub const SERVER_USER_DOMAIN: Name = Name(419);
/// `server.user.email`
pub const SERVER_USER_EMAIL: Name = Name(420);
/// `server.user.full_name`
pub const SERVER_USER_FULL_NAME: Name = Name(421);
/// `server.user.group.domain`
pub const SERVER_USER_GROUP_DOMAIN: Name = Name(422);
/// `server.user.group.id`
pub const SERVER_USER_GROUP_ID: Name = Name(423);
/// `server.user.group.name`
pub const SERVER_USER_GROUP_NAME: Name = Name(424);
/// `server.user.hash`
pub const SERVER_USER_HASH: Name = Name(425);
/// `server.user.id`
pub const SERVER_USER_ID: Name = Name(426);
/// `server.user.name`
pub const SERVER_USER_NAME: Name = Name(427);
/// `server.user.roles`
pub const SERVER_USER_ROLES: Name = Name(428);
/// `service.address`
pub const SERVICE_ADDRESS: Name = Name(429);
/// `service.environment`
pub const SERVICE_ENVIRONMENT: Name = Name(430);
/// `service.ephemeral_id`
pub const SERVICE_EPHEMERAL_ID: Name = Name(431);
/// `service.id`
pub const SERVICE_ID: Name = Name(432);
/// `service.name`
pub const SERVICE_NAME: Name = Name(433);
/// `service.node.name`
pub const SERVICE_NODE_NAME: Name = Name(434);
/// `service.node.role`
pub const SERVICE_NODE_ROLE: Name = Name(435);
/// `service.node.roles`
pub const SERVICE_NODE_ROLES: Name = Name(436);
/// `service.state`
pub const SERVICE_STATE: Name = Name(437);
/// `service.type`
pub const SERVICE_TYPE: Name = Name(438);
/// `service.version`
pub const SERVICE_VERSION: Name = Name(439);
/// `source.address`
pub const SOURCE_ADDRESS: Name = Name(440);
/// `source.as.number`
pub const SOURCE_AS_NUMBER: Name = Name(441);
/// `source.as.organization.name`
pub const SOURCE_AS_ORGANIZATION_NAME: Name = Name(442);
/// `source.bytes`
pub const SOURCE_BYTES: Name = Name(443);
/// `source.domain`
pub const SOURCE_DOMAIN: Name = Name(444);
/// `source.geo.city_name`
pub const SOURCE_GEO_CITY_NAME: Name = Name(445);
/// `source.geo.country_iso_code`
pub const SOURCE_GEO_COUNTRY_ISO_CODE: Name = Name(446);
/// `source.geo.country_name`
pub const SOURCE_GEO_COUNTRY_NAME: Name = Name(447);
/// `source.ip`
pub const SOURCE_IP: Name = Name(448);
/// `source.mac`
pub const SOURCE_MAC: Name = Name(449);
/// `source.nat.ip`
pub const SOURCE_NAT_IP: Name = Name(450);
/// `source.nat.port`
pub const SOURCE_NAT_PORT: Name = Name(451);
/// `source.packets`
pub const SOURCE_PACKETS: Name = Name(452);
/// `source.port`
pub const SOURCE_PORT: Name = Name(453);
/// `source.registered_domain`
pub const SOURCE_REGISTERED_DOMAIN: Name = Name(454);
/// `source.subdomain`
pub const SOURCE_SUBDOMAIN: Name = Name(455);
/// `source.top_level_domain`
pub const SOURCE_TOP_LEVEL_DOMAIN: Name = Name(456);
/// `source.user.domain`
pub const SOURCE_USER_DOMAIN: Name = Name(457);
/// `source.user.email`
pub const SOURCE_USER_EMAIL: Name = Name(458);
/// `source.user.full_name`
pub const SOURCE_USER_FULL_NAME: Name = Name(459);
/// `source.user.group.domain`
pub const SOURCE_USER_GROUP_DOMAIN: Name = Name(460);
/// `source.user.group.id`
pub const SOURCE_USER_GROUP_ID: Name = Name(461);
/// `source.user.group.name`
pub const SOURCE_USER_GROUP_NAME: Name = Name(462);
/// `source.user.hash`
pub const SOURCE_USER_HASH: Name = Name(463);
/// `source.user.id`
pub const SOURCE_USER_ID: Name = Name(464);
/// `source.user.name`
pub const SOURCE_USER_NAME: Name = Name(465);
/// `source.user.roles`
pub const SOURCE_USER_ROLES: Name = Name(466);
/// `span.id`
pub const SPAN_ID: Name = Name(467);
/// `tags`
pub const TAGS: Name = Name(468);
/// `tls.cipher`
pub const TLS_CIPHER: Name = Name(469);
/// `tls.client.certificate`
pub const TLS_CLIENT_CERTIFICATE: Name = Name(470);
/// `tls.client.certificate_chain`
pub const TLS_CLIENT_CERTIFICATE_CHAIN: Name = Name(471);
/// `tls.client.hash.md5`
pub const TLS_CLIENT_HASH_MD5: Name = Name(472);
/// `tls.client.hash.sha1`
pub const TLS_CLIENT_HASH_SHA1: Name = Name(473);
/// `tls.client.hash.sha256`
pub const TLS_CLIENT_HASH_SHA256: Name = Name(474);
/// `tls.client.issuer`
pub const TLS_CLIENT_ISSUER: Name = Name(475);
/// `tls.client.ja3`
pub const TLS_CLIENT_JA3: Name = Name(476);
/// `tls.client.not_after`
pub const TLS_CLIENT_NOT_AFTER: Name = Name(477);
/// `tls.client.not_before`
pub const TLS_CLIENT_NOT_BEFORE: Name = Name(478);
/// `tls.client.server_name`
pub const TLS_CLIENT_SERVER_NAME: Name = Name(479);
/// `tls.client.subject`
pub const TLS_CLIENT_SUBJECT: Name = Name(480);
/// `tls.client.supported_ciphers`
pub const TLS_CLIENT_SUPPORTED_CIPHERS: Name = Name(481);
/// `tls.curve`
pub const TLS_CURVE: Name = Name(482);
/// `tls.established`
pub const TLS_ESTABLISHED: Name = Name(483);
/// `tls.next_protocol`
pub const TLS_NEXT_PROTOCOL: Name = Name(484);
/// `tls.resumed`
pub const TLS_RESUMED: Name = Name(485);
/// `tls.server.certificate`
pub const TLS_SERVER_CERTIFICATE: Name = Name(486);
/// `tls.server.certificate_chain`
pub const TLS_SERVER_CERTIFICATE_CHAIN: Name = Name(487);
/// `tls.server.hash.md5`
pub const TLS_SERVER_HASH_MD5: Name = Name(488);
/// `tls.server.hash.sha1`
pub const TLS_SERVER_HASH_SHA1: Name = Name(489);
/// `tls.server.hash.sha256`
pub const TLS_SERVER_HASH_SHA256: Name = Name(490);
/// `tls.server.issuer`
pub const TLS_SERVER_ISSUER: Name = Name(491);
/// `tls.server.ja3s`
pub const TLS_SERVER_JA3S: Name = Name(492);
/// `tls.server.not_after`
pub const TLS_SERVER_NOT_AFTER: Name = Name(493);
/// `tls.server.not_before`
pub const TLS_SERVER_NOT_BEFORE: Name = Name(494);
/// `tls.server.subject`
pub const TLS_SERVER_SUBJECT: Name = Name(495);
/// `tls.version`
pub const TLS_VERSION: Name = Name(496);
/// `tls.version_protocol`
pub const TLS_VERSION_PROTOCOL: Name = Name(497);
/// `trace.id`
pub const TRACE_ID: Name = Name(498);
/// `transaction.id`
pub const TRANSACTION_ID: Name = Name(499);
/// `url.domain`
pub const URL_DOMAIN: Name = Name(500);
/// `url.extension`
pub const URL_EXTENSION: Name = Name(501);
/// `url.fragment`
pub const URL_FRAGMENT: Name = Name(502);
/// `url.full`
pub const URL_FULL: Name = Name(503);
/// `url.original`
pub const URL_ORIGINAL: Name = Name(504);
/// `url.password`
pub const URL_PASSWORD: Name = Name(505);
/// `url.path`
pub const URL_PATH: Name = Name(506);
/// `url.port`
pub const URL_PORT: Name = Name(507);
/// `url.query`
pub const URL_QUERY: Name = Name(508);
/// `url.registered_domain`
pub const URL_REGISTERED_DOMAIN: Name = Name(509);
/// `url.scheme`
pub const URL_SCHEME: Name = Name(510);
/// `url.subdomain`
pub const URL_SUBDOMAIN: Name = Name(511);
/// `url.top_level_domain`
pub const URL_TOP_LEVEL_DOMAIN: Name = Name(512);
/// `url.username`
pub const URL_USERNAME: Name = Name(513);
/// `user.changes.domain`
pub const USER_CHANGES_DOMAIN: Name = Name(514);
/// `user.changes.email`
pub const USER_CHANGES_EMAIL: Name = Name(515);
/// `user.changes.full_name`
pub const USER_CHANGES_FULL_NAME: Name = Name(516);
/// `user.changes.group.domain`
pub const USER_CHANGES_GROUP_DOMAIN: Name = Name(517);
/// `user.changes.group.id`
pub const USER_CHANGES_GROUP_ID: Name = Name(518);
/// `user.changes.group.name`
pub const USER_CHANGES_GROUP_NAME: Name = Name(519);
/// `user.changes.hash`
pub const USER_CHANGES_HASH: Name = Name(520);
/// `user.changes.id`
pub const USER_CHANGES_ID: Name = Name(521);
/// `user.changes.name`
pub const USER_CHANGES_NAME: Name = Name(522);
/// `user.changes.roles`
pub const USER_CHANGES_ROLES: Name = Name(523);
/// `user.domain`
pub const USER_DOMAIN: Name = Name(524);
/// `user.effective.domain`
pub const USER_EFFECTIVE_DOMAIN: Name = Name(525);
/// `user.effective.email`
pub const USER_EFFECTIVE_EMAIL: Name = Name(526);
/// `user.effective.full_name`
pub const USER_EFFECTIVE_FULL_NAME: Name = Name(527);
/// `user.effective.group.domain`
pub const USER_EFFECTIVE_GROUP_DOMAIN: Name = Name(528);
/// `user.effective.group.id`
pub const USER_EFFECTIVE_GROUP_ID: Name = Name(529);
/// `user.effective.group.name`
pub const USER_EFFECTIVE_GROUP_NAME: Name = Name(530);
/// `user.effective.hash`
pub const USER_EFFECTIVE_HASH: Name = Name(531);
/// `user.effective.id`
pub const USER_EFFECTIVE_ID: Name = Name(532);
/// `user.effective.name`
pub const USER_EFFECTIVE_NAME: Name = Name(533);
/// `user.effective.roles`
pub const USER_EFFECTIVE_ROLES: Name = Name(534);
/// `user.email`
pub const USER_EMAIL: Name = Name(535);
/// `user.full_name`
pub const USER_FULL_NAME: Name = Name(536);
/// `user.group.domain`
pub const USER_GROUP_DOMAIN: Name = Name(537);
/// `user.group.id`
pub const USER_GROUP_ID: Name = Name(538);
/// `user.group.name`
pub const USER_GROUP_NAME: Name = Name(539);
/// `user.hash`
pub const USER_HASH: Name = Name(540);
/// `user.id`
pub const USER_ID: Name = Name(541);
/// `user.name`
pub const USER_NAME: Name = Name(542);
/// `user.roles`
pub const USER_ROLES: Name = Name(543);
/// `user_agent.device.name`
pub const USER_AGENT_DEVICE_NAME: Name = Name(544);
/// `user_agent.name`
pub const USER_AGENT_NAME: Name = Name(545);
/// `user_agent.original`
pub const USER_AGENT_ORIGINAL: Name = Name(546);
/// `user_agent.os.family`
pub const USER_AGENT_OS_FAMILY: Name = Name(547);
/// `user_agent.os.full`
pub const USER_AGENT_OS_FULL: Name = Name(548);
/// `user_agent.os.kernel`
pub const USER_AGENT_OS_KERNEL: Name = Name(549);
/// `user_agent.os.name`
pub const USER_AGENT_OS_NAME: Name = Name(550);
/// `user_agent.os.platform`
pub const USER_AGENT_OS_PLATFORM: Name = Name(551);
/// `user_agent.os.type`
pub const USER_AGENT_OS_TYPE: Name = Name(552);
/// `user_agent.os.version`
pub const USER_AGENT_OS_VERSION: Name = Name(553);
/// `user_agent.version`
pub const USER_AGENT_VERSION: Name = Name(554);
/// `vulnerability.category`
pub const VULNERABILITY_CATEGORY: Name = Name(555);
/// `vulnerability.classification`
pub const VULNERABILITY_CLASSIFICATION: Name = Name(556);
/// `vulnerability.description`
pub const VULNERABILITY_DESCRIPTION: Name = Name(557);
/// `vulnerability.enumeration`
pub const VULNERABILITY_ENUMERATION: Name = Name(558);
/// `vulnerability.id`
pub const VULNERABILITY_ID: Name = Name(559);
/// `vulnerability.reference`
pub const VULNERABILITY_REFERENCE: Name = Name(560);
/// `vulnerability.report_id`
pub const VULNERABILITY_REPORT_ID: Name = Name(561);
/// `vulnerability.scanner.vendor`
pub const VULNERABILITY_SCANNER_VENDOR: Name = Name(562);
/// `vulnerability.score.base`
pub const VULNERABILITY_SCORE_BASE: Name = Name(563);
/// `vulnerability.score.environmental`
pub const VULNERABILITY_SCORE_ENVIRONMENTAL: Name = Name(564);
/// `vulnerability.score.temporal`
pub const VULNERABILITY_SCORE_TEMPORAL: Name = Name(565);
/// `vulnerability.score.version`
pub const VULNERABILITY_SCORE_VERSION: Name = Name(566);
/// `vulnerability.severity`
pub const VULNERABILITY_SEVERITY: Name = Name(567);
/// `vulnerability.status`
pub const VULNERABILITY_STATUS: Name = Name(568);
/// `dll.code_signature.digest_algorithm`
pub const DLL_CODE_SIGNATURE_DIGEST_ALGORITHM: Name = Name(569);
/// `dll.code_signature.exists`
pub const DLL_CODE_SIGNATURE_EXISTS: Name = Name(570);
/// `dll.code_signature.flags`
pub const DLL_CODE_SIGNATURE_FLAGS: Name = Name(571);
/// `dll.code_signature.signing_id`
pub const DLL_CODE_SIGNATURE_SIGNING_ID: Name = Name(572);
/// `dll.code_signature.status`
pub const DLL_CODE_SIGNATURE_STATUS: Name = Name(573);
/// `dll.code_signature.subject_name`
pub const DLL_CODE_SIGNATURE_SUBJECT_NAME: Name = Name(574);
/// `dll.code_signature.team_id`
pub const DLL_CODE_SIGNATURE_TEAM_ID: Name = Name(575);
/// `dll.code_signature.thumbprint_sha256`
pub const DLL_CODE_SIGNATURE_THUMBPRINT_SHA256: Name = Name(576);
/// `dll.code_signature.timestamp`
pub const DLL_CODE_SIGNATURE_TIMESTAMP: Name = Name(577);
/// `dll.code_signature.trusted`
pub const DLL_CODE_SIGNATURE_TRUSTED: Name = Name(578);
/// `dll.code_signature.valid`
pub const DLL_CODE_SIGNATURE_VALID: Name = Name(579);
/// `dll.pe.architecture`
pub const DLL_PE_ARCHITECTURE: Name = Name(580);
/// `dll.pe.company`
pub const DLL_PE_COMPANY: Name = Name(581);
/// `dll.pe.description`
pub const DLL_PE_DESCRIPTION: Name = Name(582);
/// `dll.pe.file_version`
pub const DLL_PE_FILE_VERSION: Name = Name(583);
/// `dll.pe.go_import_hash`
pub const DLL_PE_GO_IMPORT_HASH: Name = Name(584);
/// `dll.pe.go_imports_names_entropy`
pub const DLL_PE_GO_IMPORTS_NAMES_ENTROPY: Name = Name(585);
/// `dll.pe.go_imports_names_var_entropy`
pub const DLL_PE_GO_IMPORTS_NAMES_VAR_ENTROPY: Name = Name(586);
/// `dll.pe.go_stripped`
pub const DLL_PE_GO_STRIPPED: Name = Name(587);
/// `dll.pe.imphash`
pub const DLL_PE_IMPHASH: Name = Name(588);
/// `dll.pe.import_hash`
pub const DLL_PE_IMPORT_HASH: Name = Name(589);
/// `dll.pe.imports_names_entropy`
pub const DLL_PE_IMPORTS_NAMES_ENTROPY: Name = Name(590);
/// `dll.pe.imports_names_var_entropy`
pub const DLL_PE_IMPORTS_NAMES_VAR_ENTROPY: Name = Name(591);
/// `dll.pe.original_file_name`
pub const DLL_PE_ORIGINAL_FILE_NAME: Name = Name(592);
/// `dll.pe.pehash`
pub const DLL_PE_PEHASH: Name = Name(593);
/// `dll.pe.product`
pub const DLL_PE_PRODUCT: Name = Name(594);
/// `ecs.version`
pub const ECS_VERSION: Name = Name(595);
/// `file.code_signature.digest_algorithm`
pub const FILE_CODE_SIGNATURE_DIGEST_ALGORITHM: Name = Name(596);
/// `file.code_signature.exists`
pub const FILE_CODE_SIGNATURE_EXISTS: Name = Name(597);
/// `file.code_signature.flags`
pub const FILE_CODE_SIGNATURE_FLAGS: Name = Name(598);
/// `file.code_signature.signing_id`
pub const FILE_CODE_SIGNATURE_SIGNING_ID: Name = Name(599);
/// `file.code_signature.status`
pub const FILE_CODE_SIGNATURE_STATUS: Name = Name(600);
/// `file.code_signature.subject_name`
pub const FILE_CODE_SIGNATURE_SUBJECT_NAME: Name = Name(601);
/// `file.code_signature.team_id`
pub const FILE_CODE_SIGNATURE_TEAM_ID: Name = Name(602);
/// `file.code_signature.thumbprint_sha256`
pub const FILE_CODE_SIGNATURE_THUMBPRINT_SHA256: Name = Name(603);
/// `file.code_signature.timestamp`
pub const FILE_CODE_SIGNATURE_TIMESTAMP: Name = Name(604);
/// `file.code_signature.trusted`
pub const FILE_CODE_SIGNATURE_TRUSTED: Name = Name(605);
/// `file.code_signature.valid`
pub const FILE_CODE_SIGNATURE_VALID: Name = Name(606);
/// `file.pe.architecture`
pub const FILE_PE_ARCHITECTURE: Name = Name(607);
/// `file.pe.company`
pub const FILE_PE_COMPANY: Name = Name(608);
/// `file.pe.description`
pub const FILE_PE_DESCRIPTION: Name = Name(609);
/// `file.pe.file_version`
pub const FILE_PE_FILE_VERSION: Name = Name(610);
/// `file.pe.go_import_hash`
pub const FILE_PE_GO_IMPORT_HASH: Name = Name(611);
/// `file.pe.go_imports_names_entropy`
pub const FILE_PE_GO_IMPORTS_NAMES_ENTROPY: Name = Name(612);
/// `file.pe.go_imports_names_var_entropy`
pub const FILE_PE_GO_IMPORTS_NAMES_VAR_ENTROPY: Name = Name(613);
/// `file.pe.go_stripped`
pub const FILE_PE_GO_STRIPPED: Name = Name(614);
/// `file.pe.imphash`
pub const FILE_PE_IMPHASH: Name = Name(615);
/// `file.pe.import_hash`
pub const FILE_PE_IMPORT_HASH: Name = Name(616);
/// `file.pe.imports_names_entropy`
pub const FILE_PE_IMPORTS_NAMES_ENTROPY: Name = Name(617);
/// `file.pe.imports_names_var_entropy`
pub const FILE_PE_IMPORTS_NAMES_VAR_ENTROPY: Name = Name(618);
/// `file.pe.original_file_name`
pub const FILE_PE_ORIGINAL_FILE_NAME: Name = Name(619);
/// `file.pe.pehash`
pub const FILE_PE_PEHASH: Name = Name(620);
/// `file.pe.product`
pub const FILE_PE_PRODUCT: Name = Name(621);
/// `process.code_signature.digest_algorithm`
pub const PROCESS_CODE_SIGNATURE_DIGEST_ALGORITHM: Name = Name(622);
/// `process.code_signature.exists`
pub const PROCESS_CODE_SIGNATURE_EXISTS: Name = Name(623);
/// `process.code_signature.flags`
pub const PROCESS_CODE_SIGNATURE_FLAGS: Name = Name(624);
/// `process.code_signature.signing_id`
pub const PROCESS_CODE_SIGNATURE_SIGNING_ID: Name = Name(625);
/// `process.code_signature.status`
pub const PROCESS_CODE_SIGNATURE_STATUS: Name = Name(626);
/// `process.code_signature.subject_name`
pub const PROCESS_CODE_SIGNATURE_SUBJECT_NAME: Name = Name(627);
/// `process.code_signature.team_id`
pub const PROCESS_CODE_SIGNATURE_TEAM_ID: Name = Name(628);
/// `process.code_signature.thumbprint_sha256`
pub const PROCESS_CODE_SIGNATURE_THUMBPRINT_SHA256: Name = Name(629);
/// `process.code_signature.timestamp`
pub const PROCESS_CODE_SIGNATURE_TIMESTAMP: Name = Name(630);
/// `process.code_signature.trusted`
pub const PROCESS_CODE_SIGNATURE_TRUSTED: Name = Name(631);
/// `process.code_signature.valid`
pub const PROCESS_CODE_SIGNATURE_VALID: Name = Name(632);
/// `process.parent.code_signature.digest_algorithm`
pub const PROCESS_PARENT_CODE_SIGNATURE_DIGEST_ALGORITHM: Name = Name(633);
/// `process.parent.code_signature.exists`
pub const PROCESS_PARENT_CODE_SIGNATURE_EXISTS: Name = Name(634);
/// `process.parent.code_signature.flags`
pub const PROCESS_PARENT_CODE_SIGNATURE_FLAGS: Name = Name(635);
/// `process.parent.code_signature.signing_id`
pub const PROCESS_PARENT_CODE_SIGNATURE_SIGNING_ID: Name = Name(636);
/// `process.parent.code_signature.status`
pub const PROCESS_PARENT_CODE_SIGNATURE_STATUS: Name = Name(637);
/// `process.parent.code_signature.subject_name`
pub const PROCESS_PARENT_CODE_SIGNATURE_SUBJECT_NAME: Name = Name(638);
/// `process.parent.code_signature.team_id`
pub const PROCESS_PARENT_CODE_SIGNATURE_TEAM_ID: Name = Name(639);
/// `process.parent.code_signature.thumbprint_sha256`
pub const PROCESS_PARENT_CODE_SIGNATURE_THUMBPRINT_SHA256: Name = Name(640);
/// `process.parent.code_signature.timestamp`
pub const PROCESS_PARENT_CODE_SIGNATURE_TIMESTAMP: Name = Name(641);
/// `process.parent.code_signature.trusted`
pub const PROCESS_PARENT_CODE_SIGNATURE_TRUSTED: Name = Name(642);
/// `process.parent.code_signature.valid`
pub const PROCESS_PARENT_CODE_SIGNATURE_VALID: Name = Name(643);
/// `process.parent.pe.architecture`
pub const PROCESS_PARENT_PE_ARCHITECTURE: Name = Name(644);
/// `process.parent.pe.company`
pub const PROCESS_PARENT_PE_COMPANY: Name = Name(645);
/// `process.parent.pe.description`
pub const PROCESS_PARENT_PE_DESCRIPTION: Name = Name(646);
/// `process.parent.pe.file_version`
pub const PROCESS_PARENT_PE_FILE_VERSION: Name = Name(647);
/// `process.parent.pe.go_import_hash`
pub const PROCESS_PARENT_PE_GO_IMPORT_HASH: Name = Name(648);
/// `process.parent.pe.go_imports_names_entropy`
pub const PROCESS_PARENT_PE_GO_IMPORTS_NAMES_ENTROPY: Name = Name(649);
/// `process.parent.pe.go_imports_names_var_entropy`
pub const PROCESS_PARENT_PE_GO_IMPORTS_NAMES_VAR_ENTROPY: Name = Name(650);
/// `process.parent.pe.go_stripped`
pub const PROCESS_PARENT_PE_GO_STRIPPED: Name = Name(651);
/// `process.parent.pe.imphash`
pub const PROCESS_PARENT_PE_IMPHASH: Name = Name(652);
/// `process.parent.pe.import_hash`
pub const PROCESS_PARENT_PE_IMPORT_HASH: Name = Name(653);
/// `process.parent.pe.imports_names_entropy`
pub const PROCESS_PARENT_PE_IMPORTS_NAMES_ENTROPY: Name = Name(654);
/// `process.parent.pe.imports_names_var_entropy`
pub const PROCESS_PARENT_PE_IMPORTS_NAMES_VAR_ENTROPY: Name = Name(655);
/// `process.parent.pe.original_file_name`
pub const PROCESS_PARENT_PE_ORIGINAL_FILE_NAME: Name = Name(656);
/// `process.parent.pe.pehash`
pub const PROCESS_PARENT_PE_PEHASH: Name = Name(657);
/// `process.parent.pe.product`
pub const PROCESS_PARENT_PE_PRODUCT: Name = Name(658);
/// `process.pe.architecture`
pub const PROCESS_PE_ARCHITECTURE: Name = Name(659);
/// `process.pe.company`
pub const PROCESS_PE_COMPANY: Name = Name(660);
/// `process.pe.description`
pub const PROCESS_PE_DESCRIPTION: Name = Name(661);
/// `process.pe.file_version`
pub const PROCESS_PE_FILE_VERSION: Name = Name(662);
/// `process.pe.go_import_hash`
pub const PROCESS_PE_GO_IMPORT_HASH: Name = Name(663);
/// `process.pe.go_imports_names_entropy`
pub const PROCESS_PE_GO_IMPORTS_NAMES_ENTROPY: Name = Name(664);
/// `process.pe.go_imports_names_var_entropy`
pub const PROCESS_PE_GO_IMPORTS_NAMES_VAR_ENTROPY: Name = Name(665);
/// `process.pe.go_stripped`
pub const PROCESS_PE_GO_STRIPPED: Name = Name(666);
/// `process.pe.imphash`
pub const PROCESS_PE_IMPHASH: Name = Name(667);
/// `process.pe.import_hash`
pub const PROCESS_PE_IMPORT_HASH: Name = Name(668);
/// `process.pe.imports_names_entropy`
pub const PROCESS_PE_IMPORTS_NAMES_ENTROPY: Name = Name(669);
/// `process.pe.imports_names_var_entropy`
pub const PROCESS_PE_IMPORTS_NAMES_VAR_ENTROPY: Name = Name(670);
/// `process.pe.original_file_name`
pub const PROCESS_PE_ORIGINAL_FILE_NAME: Name = Name(671);
/// `process.pe.pehash`
pub const PROCESS_PE_PEHASH: Name = Name(672);
/// `process.pe.product`
pub const PROCESS_PE_PRODUCT: Name = Name(673);
/// `threat.framework`
pub const THREAT_FRAMEWORK: Name = Name(674);
/// `threat.indicator.ip`
pub const THREAT_INDICATOR_IP: Name = Name(675);
/// `threat.tactic.id`
pub const THREAT_TACTIC_ID: Name = Name(676);
/// `threat.tactic.name`
pub const THREAT_TACTIC_NAME: Name = Name(677);
/// `threat.technique.id`
pub const THREAT_TECHNIQUE_ID: Name = Name(678);
/// `threat.technique.name`
pub const THREAT_TECHNIQUE_NAME: Name = Name(679);
/// `user.target.domain`
pub const USER_TARGET_DOMAIN: Name = Name(680);
/// `user.target.email`
pub const USER_TARGET_EMAIL: Name = Name(681);
/// `user.target.full_name`
pub const USER_TARGET_FULL_NAME: Name = Name(682);
/// `user.target.group.domain`
pub const USER_TARGET_GROUP_DOMAIN: Name = Name(683);
/// `user.target.group.id`
pub const USER_TARGET_GROUP_ID: Name = Name(684);
/// `user.target.group.name`
pub const USER_TARGET_GROUP_NAME: Name = Name(685);
/// `user.target.hash`
pub const USER_TARGET_HASH: Name = Name(686);
/// `user.target.id`
pub const USER_TARGET_ID: Name = Name(687);
/// `user.target.name`
pub const USER_TARGET_NAME: Name = Name(688);
/// `user.target.roles`
pub const USER_TARGET_ROLES: Name = Name(689);

static NAMES: [&str; 689] = [
    "agent.build.original",
    "agent.ephemeral_id",
    "agent.id",
    "agent.name",
    "agent.type",
    "agent.version",
    "client.address",
    "client.as.number",
    "client.as.organization.name",
    "client.bytes",
    "client.domain",
    "client.geo.city_name",
    "client.geo.country_iso_code",
    "client.geo.country_name",
    "client.ip",
    "client.mac",
    "client.nat.ip",
    "client.nat.port",
    "client.packets",
    "client.port",
    "client.registered_domain",
    "client.subdomain",
    "client.top_level_domain",
    "client.user.domain",
    "client.user.email",
    "client.user.full_name",
    "client.user.group.domain",
    "client.user.group.id",
    "client.user.group.name",
    "client.user.hash",
    "client.user.id",
    "client.user.name",
    "client.user.roles",
    "cloud.account.id",
    "cloud.account.name",
    "cloud.availability_zone",
    "cloud.instance.id",
    "cloud.instance.name",
    "cloud.machine.type",
    "cloud.project.id",
    "cloud.project.name",
    "cloud.provider",
    "cloud.region",
    "cloud.service.name",
    "container.cpu.usage",
    "container.disk.read.bytes",
    "container.disk.write.bytes",
    "container.id",
    "container.image.hash.all",
    "container.image.name",
    "container.image.tag",
    "container.memory.usage",
    "container.name",
    "container.network.egress.bytes",
    "container.network.ingress.bytes",
    "container.runtime",
    "container.security_context.privileged",
    "destination.address",
    "destination.as.number",
    "destination.as.organization.name",
    "destination.bytes",
    "destination.domain",
    "destination.geo.city_name",
    "destination.geo.country_iso_code",
    "destination.geo.country_name",
    "destination.ip",
    "destination.mac",
    "destination.nat.ip",
    "destination.nat.port",
    "destination.packets",
    "destination.port",
    "destination.registered_domain",
    "destination.subdomain",
    "destination.top_level_domain",
    "destination.user.domain",
    "destination.user.email",
    "destination.user.full_name",
    "destination.user.group.domain",
    "destination.user.group.id",
    "destination.user.group.name",
    "destination.user.hash",
    "destination.user.id",
    "destination.user.name",
    "destination.user.roles",
    "dll.hash.cdhash",
    "dll.hash.md5",
    "dll.hash.sha1",
    "dll.hash.sha256",
    "dll.hash.sha384",
    "dll.hash.sha512",
    "dll.hash.ssdeep",
    "dll.hash.tlsh",
    "dll.name",
    "dll.origin_referrer_url",
    "dll.origin_url",
    "dll.path",
    "dns.answers.class",
    "dns.answers.data",
    "dns.answers.name",
    "dns.answers.ttl",
    "dns.answers.type",
    "dns.header_flags",
    "dns.id",
    "dns.op_code",
    "dns.question.class",
    "dns.question.name",
    "dns.question.registered_domain",
    "dns.question.subdomain",
    "dns.question.top_level_domain",
    "dns.question.type",
    "dns.resolved_ip",
    "dns.response_code",
    "dns.type",
    "email.attachments.file.extension",
    "email.attachments.file.hash.cdhash",
    "email.attachments.file.hash.md5",
    "email.attachments.file.hash.sha1",
    "email.attachments.file.hash.sha256",
    "email.attachments.file.hash.sha384",
    "email.attachments.file.hash.sha512",
    "email.attachments.file.hash.ssdeep",
    "email.attachments.file.hash.tlsh",
    "email.attachments.file.mime_type",
    "email.attachments.file.name",
    "email.attachments.file.size",
    "email.bcc.address",
    "email.cc.address",
    "email.content_type",
    "email.delivery_timestamp",
    "email.direction",
    "email.from.address",
    "email.local_id",
    "email.message_id",
    "email.origination_timestamp",
    "email.reply_to.address",
    "email.sender.address",
    "email.subject",
    "email.to.address",
    "email.x_mailer",
    "error.code",
    "error.id",
    "error.message",
    "error.stack_trace",
    "error.type",
    "event.action",
    "event.agent_id_status",
    "event.category",
    "event.code",
    "event.created",
    "event.dataset",
    "event.duration",
    "event.end",
    "event.hash",
    "event.id",
    "event.ingested",
    "event.kind",
    "event.module",
    "event.original",
    "event.outcome",
    "event.provider",
    "event.reason",
    "event.reference",
    "event.risk_score",
    "event.risk_score_norm",
    "event.sequence",
    "event.severity",
    "event.start",
    "event.timezone",
    "event.type",
    "event.url",
    "file.accessed",
    "file.attributes",
    "file.created",
    "file.ctime",
    "file.device",
    "file.directory",
    "file.drive_letter",
    "file.extension",
    "file.fork_name",
    "file.gid",
    "file.group",
    "file.hash.cdhash",
    "file.hash.md5",
    "file.hash.sha1",
    "file.hash.sha256",
    "file.hash.sha384",
    "file.hash.sha512",
    "file.hash.ssdeep",
    "file.hash.tlsh",
    "file.inode",
    "file.mime_type",
    "file.mode",
    "file.mtime",
    "file.name",
    "file.origin_referrer_url",
    "file.origin_url",
    "file.owner",
    "file.path",
    "file.size",
    "file.target_path",
    "file.type",
    "file.uid",
    "group.domain",
    "group.id",
    "group.name",
    "host.architecture",
    "host.boot.id",
    "host.cpu.usage",
    "host.disk.read.bytes",
    "host.disk.write.bytes",
    "host.domain",
    "host.geo.city_name",
    "host.geo.country_iso_code",
    "host.geo.country_name",
    "host.hostname",
    "host.id",
    "host.ip",
    "host.mac",
    "host.name",
    "host.network.egress.bytes",
    "host.network.egress.packets",
    "host.network.ingress.bytes",
    "host.network.ingress.packets",
    "host.os.family",
    "host.os.full",
    "host.os.kernel",
    "host.os.name",
    "host.os.platform",
    "host.os.type",
    "host.os.version",
    "host.pid_ns_ino",
    "host.type",
    "host.uptime",
    "http.request.body.bytes",
    "http.request.body.content",
    "http.request.bytes",
    "http.request.id",
    "http.request.method",
    "http.request.mime_type",
    "http.request.referrer",
    "http.response.body.bytes",
    "http.response.body.content",
    "http.response.bytes",
    "http.response.mime_type",
    "http.response.status_code",
    "http.version",
    "log.file.path",
    "log.level",
    "log.logger",
    "log.syslog.appname",
    "log.syslog.facility.code",
    "log.syslog.facility.name",
    "log.syslog.hostname",
    "log.syslog.msgid",
    "log.syslog.priority",
    "log.syslog.procid",
    "log.syslog.severity.code",
    "log.syslog.severity.name",
    "log.syslog.version",
    "message",
    "network.application",
    "network.bytes",
    "network.community_id",
    "network.direction",
    "network.forwarded_ip",
    "network.iana_number",
    "network.inner.vlan.id",
    "network.inner.vlan.name",
    "network.name",
    "network.packets",
    "network.protocol",
    "network.transport",
    "network.type",
    "network.vlan.id",
    "network.vlan.name",
    "observer.egress.interface.alias",
    "observer.egress.interface.id",
    "observer.egress.interface.name",
    "observer.egress.vlan.id",
    "observer.egress.vlan.name",
    "observer.egress.zone",
    "observer.geo.city_name",
    "observer.geo.country_iso_code",
    "observer.geo.country_name",
    "observer.hostname",
    "observer.ingress.interface.alias",
    "observer.ingress.interface.id",
    "observer.ingress.interface.name",
    "observer.ingress.vlan.id",
    "observer.ingress.vlan.name",
    "observer.ingress.zone",
    "observer.ip",
    "observer.mac",
    "observer.name",
    "observer.os.family",
    "observer.os.full",
    "observer.os.kernel",
    "observer.os.name",
    "observer.os.platform",
    "observer.os.type",
    "observer.os.version",
    "observer.product",
    "observer.serial_number",
    "observer.type",
    "observer.vendor",
    "observer.version",
    "organization.id",
    "organization.name",
    "package.architecture",
    "package.build_version",
    "package.checksum",
    "package.description",
    "package.install_scope",
    "package.installed",
    "package.license",
    "package.name",
    "package.path",
    "package.reference",
    "package.size",
    "package.type",
    "package.version",
    "process.args",
    "process.args_count",
    "process.command_line",
    "process.end",
    "process.entity_id",
    "process.env_vars",
    "process.executable",
    "process.exit_code",
    "process.group.id",
    "process.group.name",
    "process.hash.cdhash",
    "process.hash.md5",
    "process.hash.sha1",
    "process.hash.sha256",
    "process.hash.sha384",
    "process.hash.sha512",
    "process.hash.ssdeep",
    "process.hash.tlsh",
    "process.interactive",
    "process.name",
    "process.parent.args",
    "process.parent.args_count",
    "process.parent.command_line",
    "process.parent.end",
    "process.parent.entity_id",
    "process.parent.executable",
    "process.parent.exit_code",
    "process.parent.group.id",
    "process.parent.group.name",
    "process.parent.hash.cdhash",
    "process.parent.hash.md5",
    "process.parent.hash.sha1",
    "process.parent.hash.sha256",
    "process.parent.hash.sha384",
    "process.parent.hash.sha512",
    "process.parent.hash.ssdeep",
    "process.parent.hash.tlsh",
    "process.parent.interactive",
    "process.parent.name",
    "process.parent.pid",
    "process.parent.start",
    "process.parent.thread.id",
    "process.parent.thread.name",
    "process.parent.title",
    "process.parent.uptime",
    "process.parent.user.id",
    "process.parent.user.name",
    "process.parent.vpid",
    "process.parent.working_directory",
    "process.pid",
    "process.start",
    "process.thread.id",
    "process.thread.name",
    "process.title",
    "process.uptime",
    "process.user.id",
    "process.user.name",
    "process.vpid",
    "process.working_directory",
    "registry.data.bytes",
    "registry.data.strings",
    "registry.data.type",
    "registry.hive",
    "registry.key",
    "registry.path",
    "registry.value",
    "related.hash",
    "related.hosts",
    "related.ip",
    "related.user",
    "rule.author",
    "rule.category",
    "rule.description",
    "rule.id",
    "rule.license",
    "rule.name",
    "rule.reference",
    "rule.ruleset",
    "rule.uuid",
    "rule.version",
    "server.address",
    "server.as.number",
    "server.as.organization.name",
    "server.bytes",
    "server.domain",
    "server.geo.city_name",
    "server.geo.country_iso_code",
    "server.geo.country_name",
    "server.ip",
    "server.mac",
    "server.nat.ip",
    "server.nat.port",
    "server.packets",
    "server.port",
    "server.registered_domain",
    "server.subdomain",
    "server.top_level_domain",
    "server.user.domain",
    "server.user.email",
    "server.user.full_name",
    "server.user.group.domain",
    "server.user.group.id",
    "server.user.group.name",
    "server.user.hash",
    "server.user.id",
    "server.user.name",
    "server.user.roles",
    "service.address",
    "service.environment",
    "service.ephemeral_id",
    "service.id",
    "service.name",
    "service.node.name",
    "service.node.role",
    "service.node.roles",
    "service.state",
    "service.type",
    "service.version",
    "source.address",
    "source.as.number",
    "source.as.organization.name",
    "source.bytes",
    "source.domain",
    "source.geo.city_name",
    "source.geo.country_iso_code",
    "source.geo.country_name",
    "source.ip",
    "source.mac",
    "source.nat.ip",
    "source.nat.port",
    "source.packets",
    "source.port",
    "source.registered_domain",
    "source.subdomain",
    "source.top_level_domain",
    "source.user.domain",
    "source.user.email",
    "source.user.full_name",
    "source.user.group.domain",
    "source.user.group.id",
    "source.user.group.name",
    "source.user.hash",
    "source.user.id",
    "source.user.name",
    "source.user.roles",
    "span.id",
    "tags",
    "tls.cipher",
    "tls.client.certificate",
    "tls.client.certificate_chain",
    "tls.client.hash.md5",
    "tls.client.hash.sha1",
    "tls.client.hash.sha256",
    "tls.client.issuer",
    "tls.client.ja3",
    "tls.client.not_after",
    "tls.client.not_before",
    "tls.client.server_name",
    "tls.client.subject",
    "tls.client.supported_ciphers",
    "tls.curve",
    "tls.established",
    "tls.next_protocol",
    "tls.resumed",
    "tls.server.certificate",
    "tls.server.certificate_chain",
    "tls.server.hash.md5",
    "tls.server.hash.sha1",
    "tls.server.hash.sha256",
    "tls.server.issuer",
    "tls.server.ja3s",
    "tls.server.not_after",
    "tls.server.not_before",
    "tls.server.subject",
    "tls.version",
    "tls.version_protocol",
    "trace.id",
    "transaction.id",
    "url.domain",
    "url.extension",
    "url.fragment",
    "url.full",
    "url.original",
    "url.password",
    "url.path",
    "url.port",
    "url.query",
    "url.registered_domain",
    "url.scheme",
    "url.subdomain",
    "url.top_level_domain",
    "url.username",
    "user.changes.domain",
    "user.changes.email",
    "user.changes.full_name",
    "user.changes.group.domain",
    "user.changes.group.id",
    "user.changes.group.name",
    "user.changes.hash",
    "user.changes.id",
    "user.changes.name",
    "user.changes.roles",
    "user.domain",
    "user.effective.domain",
    "user.effective.email",
    "user.effective.full_name",
    "user.effective.group.domain",
    "user.effective.group.id",
    "user.effective.group.name",
    "user.effective.hash",
    "user.effective.id",
    "user.effective.name",
    "user.effective.roles",
    "user.email",
    "user.full_name",
    "user.group.domain",
    "user.group.id",
    "user.group.name",
    "user.hash",
    "user.id",
    "user.name",
    "user.roles",
    "user_agent.device.name",
    "user_agent.name",
    "user_agent.original",
    "user_agent.os.family",
    "user_agent.os.full",
    "user_agent.os.kernel",
    "user_agent.os.name",
    "user_agent.os.platform",
    "user_agent.os.type",
    "user_agent.os.version",
    "user_agent.version",
    "vulnerability.category",
    "vulnerability.classification",
    "vulnerability.description",
    "vulnerability.enumeration",
    "vulnerability.id",
    "vulnerability.reference",
    "vulnerability.report_id",
    "vulnerability.scanner.vendor",
    "vulnerability.score.base",
    "vulnerability.score.environmental",
    "vulnerability.score.temporal",
    "vulnerability.score.version",
    "vulnerability.severity",
    "vulnerability.status",
    "dll.code_signature.digest_algorithm",
    "dll.code_signature.exists",
    "dll.code_signature.flags",
    "dll.code_signature.signing_id",
    "dll.code_signature.status",
    "dll.code_signature.subject_name",
    "dll.code_signature.team_id",
    "dll.code_signature.thumbprint_sha256",
    "dll.code_signature.timestamp",
    "dll.code_signature.trusted",
    "dll.code_signature.valid",
    "dll.pe.architecture",
    "dll.pe.company",
    "dll.pe.description",
    "dll.pe.file_version",
    "dll.pe.go_import_hash",
    "dll.pe.go_imports_names_entropy",
    "dll.pe.go_imports_names_var_entropy",
    "dll.pe.go_stripped",
    "dll.pe.imphash",
    "dll.pe.import_hash",
    "dll.pe.imports_names_entropy",
    "dll.pe.imports_names_var_entropy",
    "dll.pe.original_file_name",
    "dll.pe.pehash",
    "dll.pe.product",
    "ecs.version",
    "file.code_signature.digest_algorithm",
    "file.code_signature.exists",
    "file.code_signature.flags",
    "file.code_signature.signing_id",
    "file.code_signature.status",
    "file.code_signature.subject_name",
    "file.code_signature.team_id",
    "file.code_signature.thumbprint_sha256",
    "file.code_signature.timestamp",
    "file.code_signature.trusted",
    "file.code_signature.valid",
    "file.pe.architecture",
    "file.pe.company",
    "file.pe.description",
    "file.pe.file_version",
    "file.pe.go_import_hash",
    "file.pe.go_imports_names_entropy",
    "file.pe.go_imports_names_var_entropy",
    "file.pe.go_stripped",
    "file.pe.imphash",
    "file.pe.import_hash",
    "file.pe.imports_names_entropy",
    "file.pe.imports_names_var_entropy",
    "file.pe.original_file_name",
    "file.pe.pehash",
    "file.pe.product",
    "process.code_signature.digest_algorithm",
    "process.code_signature.exists",
    "process.code_signature.flags",
    "process.code_signature.signing_id",
    "process.code_signature.status",
    "process.code_signature.subject_name",
    "process.code_signature.team_id",
    "process.code_signature.thumbprint_sha256",
    "process.code_signature.timestamp",
    "process.code_signature.trusted",
    "process.code_signature.valid",
    "process.parent.code_signature.digest_algorithm",
    "process.parent.code_signature.exists",
    "process.parent.code_signature.flags",
    "process.parent.code_signature.signing_id",
    "process.parent.code_signature.status",
    "process.parent.code_signature.subject_name",
    "process.parent.code_signature.team_id",
    "process.parent.code_signature.thumbprint_sha256",
    "process.parent.code_signature.timestamp",
    "process.parent.code_signature.trusted",
    "process.parent.code_signature.valid",
    "process.parent.pe.architecture",
    "process.parent.pe.company",
    "process.parent.pe.description",
    "process.parent.pe.file_version",
    "process.parent.pe.go_import_hash",
    "process.parent.pe.go_imports_names_entropy",
    "process.parent.pe.go_imports_names_var_entropy",
    "process.parent.pe.go_stripped",
    "process.parent.pe.imphash",
    "process.parent.pe.import_hash",
    "process.parent.pe.imports_names_entropy",
    "process.parent.pe.imports_names_var_entropy",
    "process.parent.pe.original_file_name",
    "process.parent.pe.pehash",
    "process.parent.pe.product",
    "process.pe.architecture",
    "process.pe.company",
    "process.pe.description",
    "process.pe.file_version",
    "process.pe.go_import_hash",
    "process.pe.go_imports_names_entropy",
    "process.pe.go_imports_names_var_entropy",
    "process.pe.go_stripped",
    "process.pe.imphash",
    "process.pe.import_hash",
    "process.pe.imports_names_entropy",
    "process.pe.imports_names_var_entropy",
    "process.pe.original_file_name",
    "process.pe.pehash",
    "process.pe.product",
    "threat.framework",
    "threat.indicator.ip",
    "threat.tactic.id",
    "threat.tactic.name",
    "threat.technique.id",
    "threat.technique.name",
    "user.target.domain",
    "user.target.email",
    "user.target.full_name",
    "user.target.group.domain",
    "user.target.group.id",
    "user.target.group.name",
    "user.target.hash",
    "user.target.id",
    "user.target.name",
    "user.target.roles",
];
// end of names
