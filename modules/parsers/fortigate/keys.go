package main

import (
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/ecs"
)

// key numbers the keys of FortiOS that have a meaning here; every other key becomes fortinet.firewall.KEY as it is.
type key uint8

// How a key's value becomes its ECS field.
const (
	byHand uint8 = iota // emit.go decides
	asText
	asInt
)

// keep is set on what is emitted as fortinet.firewall.KEY too.
const keep = true

type mapping struct {
	name string
	to   abi.Name
	as   uint8
	keep bool
}

const (
	none key = iota
	kAction
	kAddr
	kAgent
	kAnalyticsCksum
	kApp
	kAppCat
	kAppList
	kAssignIP
	kAuthMsg
	kCat
	kCatDesc
	kCertHash
	kComment
	kCN
	kDate
	kDevID
	kDevName
	kDeviceID
	kDType
	kDir
	kDirection
	kDstIntf
	kDstIP
	kDstMAC
	kDstName
	kDstPort
	kDuration
	kEventID
	kEventTime
	kEventType
	kEventSubtype
	kFileName
	kFileSize
	kFileType
	kFrom
	kGroup
	kHostname
	kHTTPMethod
	kInterface
	kIssuer
	kIP
	kIPAddr
	kLevel
	kLocIP
	kLocPort
	kLogDesc
	kLogID
	kLogID2
	kMsg
	kNotAfter
	kNotBefore
	kPolicyID
	kPolicyName
	kPolicyType
	kPolUUID
	kPri
	kProfile
	kProto
	kQClass
	kQName
	kQType
	kRcvdByte
	kRcvdPkt
	kReason
	kRecipient
	kRef
	kReferralURL
	kRemIP
	kRemPort
	kRemoteIP
	kRemotePort
	kResult
	kSCertCName
	kSCertIssuer
	kSender
	kSentByte
	kSentPkt
	kService
	kSNI
	kSrcIntf
	kSrcIP
	kSrcMAC
	kSrcName
	kSrcPort
	kStatus
	kSubject
	kSubtype
	kTime
	kTo
	kTranIP
	kTranPort
	kTransIP
	kTransPort
	kTunnelIP
	kType
	kTZ
	kUnauthUser
	kURL
	kUser
	kUTMAction
	kXID
	keys
)

var mappings = [keys]mapping{
	kAction:         {"action", 0, byHand, keep},
	kAddr:           {"addr", 0, byHand, keep},
	kAgent:          {"agent", ecs.UserAgentOriginal, asText, false},
	kAnalyticsCksum: {"analyticscksum", 0, byHand, keep},
	kApp:            {"app", ecs.NetworkApplication, asText, false},
	kAppCat:         {"appcat", 0, byHand, false},
	kAppList:        {"applist", 0, byHand, false},
	kAssignIP:       {"assignip", 0, byHand, keep},
	kAuthMsg:        {"authmsg", 0, byHand, keep},
	kCat:            {"cat", 0, byHand, keep},
	kCatDesc:        {"catdesc", 0, byHand, false},
	kCertHash:       {"certhash", ecs.TLSServerHashSHA1, asText, false},
	kComment:        {"comment", 0, byHand, false},
	kCN:             {"cn", 0, byHand, keep},
	kDate:           {"date", 0, byHand, false},
	kDevID:          {"devid", 0, byHand, false},
	kDevName:        {"devname", ecs.ObserverName, asText, false},
	kDeviceID:       {"device_id", 0, byHand, false},
	kDir:            {"dir", 0, byHand, false},
	kDirection:      {"direction", 0, byHand, false},
	kDstIntf:        {"dstintf", ecs.ObserverEgressInterfaceName, asText, false},
	kDstIP:          {"dstip", 0, byHand, false},
	kDstMAC:         {"dstmac", 0, byHand, false},
	kDstName:        {"dstname", ecs.DestinationAddress, asText, false},
	kDstPort:        {"dstport", 0, byHand, false},
	kDuration:       {"duration", 0, byHand, false},
	kEventID:        {"eventid", 0, byHand, false},
	kEventTime:      {"eventtime", 0, byHand, false},
	kEventSubtype:   {"eventsubtype", 0, byHand, keep},
	kDType:          {"dtype", 0, byHand, keep},
	kIssuer:         {"issuer", 0, byHand, keep},
	kNotAfter:       {"notafter", ecs.TLSServerNotAfter, asText, false},
	kNotBefore:      {"notbefore", ecs.TLSServerNotBefore, asText, false},
	kEventType:      {"eventtype", 0, byHand, false},
	kFileName:       {"filename", ecs.FileName, asText, false},
	kFileSize:       {"filesize", ecs.FileSize, asInt, false},
	kFileType:       {"filetype", ecs.FileExtension, asText, false},
	kFrom:           {"from", 0, byHand, false},
	kGroup:          {"group", ecs.SourceUserGroupName, asText, false},
	kHostname:       {"hostname", 0, byHand, false},
	kHTTPMethod:     {"httpmethod", ecs.HTTPRequestMethod, asText, false},
	kInterface:      {"interface", 0, byHand, false},
	kIP:             {"ip", 0, byHand, keep},
	kIPAddr:         {"ipaddr", 0, byHand, false},
	kLevel:          {"level", 0, byHand, false},
	kLocIP:          {"locip", 0, byHand, false},
	kLocPort:        {"locport", 0, byHand, false},
	kLogDesc:        {"logdesc", 0, byHand, false},
	kLogID:          {"logid", ecs.EventCode, asText, false},
	kLogID2:         {"log_id", 0, byHand, false},
	kMsg:            {"msg", ecs.Message, asText, false},
	kPolicyID:       {"policyid", ecs.RuleID, asText, false},
	kPolicyName:     {"policyname", ecs.RuleName, asText, false},
	kPolicyType:     {"policytype", 0, byHand, false},
	kPolUUID:        {"poluuid", ecs.RuleUUID, asText, false},
	kPri:            {"pri", 0, byHand, false},
	kProfile:        {"profile", 0, byHand, false},
	kProto:          {"proto", ecs.NetworkIanaNumber, asText, false},
	kQClass:         {"qclass", ecs.DNSQuestionClass, asText, false},
	kQName:          {"qname", ecs.DNSQuestionName, asText, false},
	kQType:          {"qtype", ecs.DNSQuestionType, asText, false},
	kRcvdByte:       {"rcvdbyte", ecs.DestinationBytes, asInt, false},
	kRcvdPkt:        {"rcvdpkt", ecs.DestinationPackets, asInt, false},
	kReason:         {"reason", 0, byHand, false},
	kRecipient:      {"recipient", 0, byHand, false},
	kRef:            {"ref", ecs.EventReference, asText, false},
	kReferralURL:    {"referralurl", ecs.HTTPRequestReferrer, asText, false},
	kRemIP:          {"remip", 0, byHand, false},
	kRemPort:        {"remport", 0, byHand, false},
	kRemoteIP:       {"remote_ip", 0, byHand, false},
	kRemotePort:     {"remote_port", 0, byHand, false},
	kResult:         {"result", 0, byHand, keep},
	kSCertCName:     {"scertcname", 0, byHand, false},
	kSCertIssuer:    {"scertissuer", 0, byHand, false},
	kSender:         {"sender", 0, byHand, false},
	kSentByte:       {"sentbyte", ecs.SourceBytes, asInt, false},
	kSentPkt:        {"sentpkt", ecs.SourcePackets, asInt, false},
	kService:        {"service", 0, byHand, false},
	kSNI:            {"sni", ecs.TLSClientServerName, asText, false},
	kSrcIntf:        {"srcintf", 0, byHand, false},
	kSrcIP:          {"srcip", 0, byHand, false},
	kSrcMAC:         {"srcmac", 0, byHand, false},
	kSrcName:        {"srcname", 0, byHand, keep},
	kSrcPort:        {"srcport", 0, byHand, false},
	kStatus:         {"status", 0, byHand, keep},
	kSubject:        {"subject", ecs.EmailSubject, asText, false},
	kSubtype:        {"subtype", 0, byHand, keep},
	kTime:           {"time", 0, byHand, false},
	kTo:             {"to", 0, byHand, false},
	kTranIP:         {"tranip", ecs.DestinationNATIP, asText, keep},
	kTranPort:       {"tranport", ecs.DestinationNATPort, asInt, false},
	kTransIP:        {"transip", ecs.SourceNATIP, asText, keep},
	kTransPort:      {"transport", ecs.SourceNATPort, asInt, false},
	kTunnelIP:       {"tunnelip", 0, byHand, keep},
	kType:           {"type", 0, byHand, keep},
	kTZ:             {"tz", ecs.EventTimezone, asText, false},
	kUnauthUser:     {"unauthuser", 0, byHand, false},
	kURL:            {"url", 0, byHand, false},
	kUser:           {"user", 0, byHand, false},
	kUTMAction:      {"utmaction", 0, byHand, keep},
	kXID:            {"xid", ecs.DNSID, asText, false},
}

const slotCount = 512

// slots finds a key without hashing all of it: FortiOS' keys differ in length, ends and middle.
var slots = func() (t [slotCount]key) {
	for k := none + 1; k < keys; k++ {
		i := slot(mappings[k].name)
		for t[i] != none {
			i = (i + 1) % slotCount
		}
		t[i] = k
	}
	return t
}()

func slot(s string) uint32 {
	n := len(s)
	return (uint32(s[0])*3 + uint32(s[n-1])*31 + uint32(s[n/2])*7 + uint32(n)*67) % slotCount
}

func lookup(name string) key {
	for i := slot(name); ; i = (i + 1) % slotCount {
		k := slots[i]
		if k == none || mappings[k].name == name {
			return k
		}
	}
}
