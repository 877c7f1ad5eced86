.PHONY: setup

setup: ## .venv from the lock, and Kafka and Temporal in the cache
	@infra/setup.sh
