//! The bodies of the API: requests as bytes, answers as values. The sandbox uses the same requests and rows.

mod answer;
mod sts;
mod tcb;
mod tcbr;

pub use answer::{Answer, ApiError, FoundIds, Ids, Page, Response, number_of, page, parse, text_of};
pub use sts::{
    ASSUME_ROLE, ASSUME_ROLE_WITH_WEB_IDENTITY, AssumeRole, AssumeRoleWithWebIdentity, CALLER, CallerInfo,
    GetCallerIdentity, STS_SERVICE, STS_VERSION, Session, decode_caller, decode_metadata, decode_session,
};
pub use tcb::{
    BILLS, BillInfo, DESTROY, DescribeBillingInfo, DescribeEnvs, DestroyEnv, ENDPOINT, EnvInfo, LIMITS, LIST,
    MAX_BODY, MAX_PAGE_BODY, MODIFY, MODIFY_EXTRA, ModifyEnv, ModifyEnvExtra, NO_TIME, OrderInfo, PLANS,
    SERVICE, SERVICE_STATUS, Tag, VERSION, create_body, request_body, update_body,
};
pub use tcbr::{DescribeEnvBaseInfo, TCBR_SERVICE, TCBR_VERSION, decode_inside};
