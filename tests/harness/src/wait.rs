//! Waiting with a deadline instead of sleeping and hoping.

use core::future::Future;
use core::time::Duration;

use tokio::time::Instant;
use virtual_operator::Error;

const PAUSE: Duration = Duration::from_millis(10);

/// Asks again and again until there is an answer.
///
/// # Errors
/// None came in time; the error names what was waited for.
pub async fn until<T, F>(what: &str, limit: Duration, mut ask: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Option<T>>,
{
    let end = Instant::now() + limit;
    loop {
        if let Some(answer) = ask().await {
            return Ok(answer);
        }
        if Instant::now() >= end {
            return Err(Error::new(format!("waiting for {what}"), format!("not within {} ms", limit.as_millis())));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Gives a future a deadline.
///
/// # Errors
/// It took longer; the error names what was waited for.
pub async fn at_most<T>(what: &str, limit: Duration, future: impl Future<Output = T>) -> Result<T, Error> {
    tokio::time::timeout(limit, future)
        .await
        .map_err(|_| Error::new(format!("waiting for {what}"), format!("not within {} ms", limit.as_millis())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_waited_for_and_missed() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut left = 3;
            let ask = || {
                left -= 1;
                let now = left;
                async move { (now == 0).then_some("here") }
            };
            assert_eq!(until("it", Duration::from_secs(5), ask).await.unwrap(), "here");
            let missed = until::<(), _>("nothing", Duration::ZERO, || async { None }).await.unwrap_err();
            assert!(missed.to_string().contains("waiting for nothing"));
        });
    }
}
