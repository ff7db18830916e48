//! Fleets and routers as real processes. The programs they run are this test program itself,
//! started again in another role.

mod fleet;
mod role;
mod router;
