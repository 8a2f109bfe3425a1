//! Runs a property of fuzz/foreign.mjs in QuickJS, and shows libFuzzer which branches of the JavaScript
//! that ships an input reached. The script is made by fuzz/bundle.mjs, and lies where the environment's
//! `FOREIGN` says.

use rquickjs::{CatchResultExt, Context, Ctx, Function, Runtime, TypedArray};

/// How many branches there is room for; fuzz/bundle.mjs has as much.
const ROOM: usize = 8192;

/// libFuzzer takes what stands here for counters of its own.
#[used]
#[unsafe(link_section = "__libfuzzer_extra_counters")]
static mut COUNTERS: [u8; ROOM] = [0; ROOM];

thread_local! {
    static ENGINE: (Runtime, Context) = engine();
}

fn engine() -> (Runtime, Context) {
    let path = std::env::var("FOREIGN").expect("FOREIGN names the script that fuzz/bundle.mjs made");
    let script = std::fs::read_to_string(path).expect("the script");
    let runtime = Runtime::new().expect("a runtime");
    let context = Context::full(&runtime).expect("a context");
    context.with(|ctx| ctx.eval::<(), _>(script).catch(&ctx).unwrap_or_else(|error| panic!("{error}")));
    (runtime, context)
}

/// Panics where the property does not hold of what these bytes make.
pub fn check(property: &str, data: &[u8]) {
    ENGINE.with(|(_, context)| {
        context.with(|ctx| {
            let outcome = run(&ctx, property, data).catch(&ctx).map_err(|error| error.to_string());
            let hits: TypedArray<u8> = ctx.globals().get("hits").expect("the branches");
            // SAFETY: one thread, no script runs meanwhile, and libFuzzer reads between two inputs.
            unsafe {
                let hits = hits.as_bytes().expect("the branches");
                assert_eq!(hits.len(), ROOM, "fuzz/bundle.mjs has as much room");
                (&raw mut COUNTERS).cast::<u8>().copy_from_nonoverlapping(hits.as_ptr(), ROOM);
            }
            if let Err(error) = outcome {
                panic!("{error}");
            }
        });
    });
}

fn run<'js>(ctx: &Ctx<'js>, property: &str, data: &[u8]) -> rquickjs::Result<()> {
    let check: Function = ctx.globals().get("check")?;
    check.call((property, TypedArray::new_copy(ctx.clone(), data)?))
}
